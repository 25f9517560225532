import Foundation

/// A new folder for as long as the example runs.
struct TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "quickstart-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path(percentEncoded: false)
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
