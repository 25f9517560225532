import Foundation

/// A path for a database, in a folder that goes with this object.
final class TemporaryFile {
  let path: String
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("changelog-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appendingPathComponent("test.db").path
  }

  deinit { try? FileManager.default.removeItem(at: folder) }
}
