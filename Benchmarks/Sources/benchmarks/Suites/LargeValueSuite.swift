import DimpleChangelog
import DimpleCrypto
import DimpleRemote
import DimpleStore
import DimpleSync
import Foundation

extension Suite {
  /// What one large value costs in memory. Encrypted, in a directory.
  static var large: Suite {
    var suite = Suite(name: "large") { _ in [] }
    suite.figures = { size in try await LargeValueMemory(size: size).figures() }
    return suite
  }
}

/// The peak of memory while one value is pushed, and while it is pulled.
private struct LargeValueMemory {
  private let bytes: Int
  private let storage: DirectoryStorage

  init(size: Size) throws {
    bytes = size(200) << 20
    storage = try DirectoryStorage(TemporaryFolder.newPath("vault"))
  }

  func figures() async throws -> [Figure] {
    let author = TemporaryFolder.newPath("author.db")
    try await write(to: author)
    var figures: [Figure] = []
    for (name, path) in [("push", author), ("pull", TemporaryFolder.newPath("reader.db"))] {
      let engine = try engine(path)
      let peak = try await PeakMemory.measure { _ = try await engine.sync() }
      try await engine.database.close()
      guard let peak else { continue }
      figures.append(
        Figure(
          suite: "large", name: "\(name) of \(bytes >> 20) MiB: peak memory above rest", value: peak,
          unit: "MiB", bar: Double(bytes >> 20) * (name == "push" ? 1.2 : 2.2) + 40))
    }
    return figures
  }

  private func write(to path: String) async throws {
    let engine = try engine(path)
    _ = try await engine.sync()
    let count = bytes
    try await engine.database.write { connection in
      try connection.execute("INSERT INTO File VALUES (1, 'a name', randomblob(\(count)))")
    }
    try await engine.database.close()
  }

  private func engine(_ path: String) throws -> SyncEngine {
    let database = try Database(
      path, configuration: Configuration().tracking(),
      migrations: [Migration("create File", "CREATE TABLE File (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")])
    let storage = storage
    return SyncEngine(database, storage: storage, vault: AgeVaultProvider(passphrase: "benchmark", workFactor: 1))
  }
}
