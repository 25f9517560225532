import Foundation

/// A folder for the databases of a run, removed at its end.
enum TemporaryFolder {
  static let path: String = {
    let url = FileManager.default.temporaryDirectory.appending(path: "dimple-bench-\(UUID().uuidString)")
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url.path(percentEncoded: false)
  }()

  /// A path nobody has used yet.
  static func newPath(_ name: String) -> String { "\(path)/\(UUID().uuidString)-\(name)" }

  static func remove() { try? FileManager.default.removeItem(atPath: path) }
}
