import Foundation

/// Files of a run.
enum TemporaryFiles {
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

  static func copy(_ path: String, to other: String) throws {
    remove(other)
    try FileManager.default.copyItem(atPath: path, toPath: other)
  }
}
