import Foundation

/// A new folder for as long as the example runs.
public struct TemporaryFolder {
  /// Where it is.
  public let path: String

  /// Makes it.
  public init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path(percentEncoded: false)
  }

  /// Removes it, and all that is in it.
  public func remove() { try? FileManager.default.removeItem(atPath: path) }
}
