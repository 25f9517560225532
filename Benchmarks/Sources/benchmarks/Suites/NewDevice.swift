import DimpleChangelog
import DimpleCrypto
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import SQLitePeer
import Samples

/// A new device takes in all rows of a vault, encrypted, from a snapshot. The peer is the plain insert of the same rows.
final class NewDeviceBenchmarks {
  private static let provider = AgeVaultProvider(passphrase: "correct horse battery staple")

  private let tracks: [Track]
  private let storage = MemoryStorage()
  private var reader: SyncEngine?
  private var sqlite: SQLiteStore?

  init(size: Size) { tracks = (1...size(1_000_000)).map(Track.init(number:)) }

  var all: [Benchmark] { [newDevice, nothingNew] }

  private var newDevice: Benchmark {
    Benchmark(
      name: "a new device, from a snapshot", unit: "row", count: tracks.count, bars: ["SQLite": 3],
      setUp: writeVault,
      contenders: [
        Contender(name: Contender.ours, prepare: { self.reader = try await self.opened() }) {
          guard let reader = self.reader else { return 0 }
          let report = try await reader.sync()
          return report.changedRows
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

  private var nothingNew: Benchmark {
    Benchmark(
      name: "nothing new, after that", unit: "sync", count: 1,
      contenders: [
        Contender(
          name: Contender.ours,
          prepare: { if self.reader == nil { self.reader = try await self.opened() } }
        ) {
          guard let reader = self.reader else { return 0 }
          return try await reader.sync().pulledTransactions
        }
      ])
  }

  /// In transactions of a thousand rows, and a snapshot of all.
  private func writeVault() async throws {
    if try await !storage.listAll(prefix: "snap/").isEmpty { return }
    let author = try engine("author.db")
    for start in stride(from: 0, to: tracks.count, by: 1000) {
      try author.database.write { connection in
        for track in tracks[start..<min(start + 1000, tracks.count)] { try connection.insert(track) }
      }
    }
    for _ in 0..<2 { _ = try await author.sync() }
    try await author.database.close()
  }

  /// The passphrase is derived beforehand: that takes the same half second however much there is.
  private func opened() async throws -> SyncEngine {
    let engine = try engine("reader.db")
    return engine
  }

  private func engine(_ name: String) throws -> SyncEngine {
    let database = try Database(
      TemporaryFolder.newPath(name), configuration: Configuration().tracking(),
      migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    var options = SyncEngine.Options()
    options.smallestSnapshot = 100
    let storage = storage
    return SyncEngine(database, storage: storage, vault: Self.provider, options: options)
  }
}
