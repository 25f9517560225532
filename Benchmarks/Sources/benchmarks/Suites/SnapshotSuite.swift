import DimpleChangelog
import DimpleCrypto
import DimpleRemote
import DimpleStore
import DimpleSync
import Foundation
import SQLitePeer
import Samples

extension Suite {
  /// What a vault costs: the first sync of a new device, a sync with nothing new, bytes in the bucket. Encrypted, in a directory.
  static var snapshot: Suite {
    var suite = Suite(name: "snapshot") { size in
      let benchmarks = try NewDevice(size: size)
      return [benchmarks.newDevice, benchmarks.nothingNew]
    }
    suite.figures = { size in
      let newDevice = try NewDevice(size: size)
      return try await [newDevice.memory()].compactMap { $0 } + UpdateSize(size: size).figures()
    }
    return suite
  }
}

/// A vault with many rows and a snapshot of them.
private final class NewDevice {
  private let tracks: [Track]
  private let storage: DirectoryStorage
  private var reader: SyncEngine?
  private var sqlite: SQLiteStore?

  init(size: Size) throws {
    tracks = (1...size(1_000_000)).map(Track.init(number:))
    storage = try DirectoryStorage(TemporaryFolder.newPath("vault"))
  }

  var newDevice: Benchmark {
    Benchmark(
      name: "a new device, from a snapshot", unit: "row", count: tracks.count, bars: ["SQLite": 3], setUp: writeVault,
      contenders: [
        Contender(name: Contender.ours, prepare: { self.reader = try self.engine() }) {
          try await self.reader?.sync().changedRows ?? 0
        },
        Contender(
          name: "SQLite",
          prepare: {
            self.sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"), creating: Track.createTable)
          }
        ) {
          try self.sqlite?.insert(self.tracks) ?? 0
        },
      ])
  }

  var nothingNew: Benchmark {
    Benchmark(
      name: "nothing new, after a snapshot", unit: "sync", count: 1, setUp: writeVault,
      contenders: [
        Contender(
          name: Contender.ours,
          prepare: {
            if self.reader == nil {
              self.reader = try self.engine()
              _ = try await self.reader?.sync()
            }
          }
        ) {
          try await self.reader?.sync().traffic.requests ?? 0
        }
      ])
  }

  /// Of the first sync of a new device.
  func memory() async throws -> Figure? {
    try await writeVault()
    let engine = try engine()
    let peak = try await PeakMemory.measure { _ = try await engine.sync() }
    return peak.map {
      Figure(suite: "snapshot", name: "a new device: peak memory above rest", value: $0, unit: "MiB", bar: 96)
    }
  }

  private func writeVault() async throws {
    if try await !storage.listAll(prefix: "snap/").isEmpty { return }
    let author = try engine()
    let tracks = tracks
    for start in stride(from: 0, to: tracks.count, by: 1000) {
      try await author.database.write { connection in
        for track in tracks[start..<min(start + 1000, tracks.count)] { try connection.insert(track) }
      }
    }
    for _ in 0..<2 { _ = try await author.sync() }
    try await author.database.close()
  }

  private func engine() throws -> SyncEngine {
    let database = try Database(
      TemporaryFolder.newPath("replica.db"), configuration: Configuration().tracking(),
      migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    var options = SyncEngine.Options()
    options.smallestSnapshot = 100
    let storage = storage
    return SyncEngine(
      database, storage: storage, vault: AgeVaultProvider(passphrase: "benchmark", workFactor: 1), options: options)
  }
}

/// What an update of one column takes up in the bucket, in packs of a thousand.
private struct UpdateSize {
  let count: Int

  init(size: Size) { count = size(1_000) }

  func figures() async throws -> [Figure] {
    let storage = try DirectoryStorage(TemporaryFolder.newPath("vault"))
    let database = try Database(
      TemporaryFolder.newPath("replica.db"), configuration: Configuration().tracking(),
      migrations: [
        Migration(
          "create Todo",
          "CREATE TABLE Todo (id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL, completed INTEGER NOT NULL)")
      ])
    var options = SyncEngine.Options()
    options.smallestSnapshot = .max
    let engine = SyncEngine(
      database, storage: storage, vault: AgeVaultProvider(passphrase: "benchmark", workFactor: 1), options: options)
    let ids = (0..<count).map { _ in UUID().uuidString.lowercased() }
    try await database.write { connection in
      for id in ids { try connection.execute("INSERT INTO Todo VALUES (\(id), 'Buy milk', 0)") }
    }
    _ = try await engine.sync()
    var figures: [Figure] = []
    for together in [1, count] {
      let order = ids.shuffled()
      for start in stride(from: 0, to: count, by: together) {
        try await database.write { connection in
          for id in order[start..<start + together] {
            try connection.execute("UPDATE Todo SET completed = 1 - completed WHERE id = \(id)")
          }
        }
      }
      let sent = try await engine.sync().traffic.bytesSent
      let name = together == 1 ? "a transaction each" : "one transaction"
      figures.append(
        Figure(
          suite: "snapshot", name: "bytes of an update of one column, \(name)", value: Double(sent) / Double(count),
          unit: "bytes", bar: 60))
    }
    return figures
  }
}
