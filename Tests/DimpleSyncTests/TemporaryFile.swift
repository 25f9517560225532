import Foundation

/// Database files for tests.
enum TemporaryFile {
  static func path() -> String {
    FileManager.default.temporaryDirectory.appending(path: "dimple-test-\(UUID().uuidString).db").path()
  }

  static func remove(_ path: String) {
    for ending in ["", "-wal", "-shm", "-sync"] { try? FileManager.default.removeItem(atPath: path + ending) }
  }
}
