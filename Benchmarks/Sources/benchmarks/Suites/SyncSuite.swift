import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import SQLitePeer
import Samples

extension Suite {
  /// Sending and taking in many changes through memory, without encryption: the engine's own work. The peer is the plain
  /// insert of the same rows.
  static var sync: Suite {
    Suite(name: "sync") { size in
      let benchmarks = SyncBenchmarks(size: size)
      return [benchmarks.push, benchmarks.pull, benchmarks.nothingNew]
    }
  }
}

/// Replicas that a run needs fresh each time.
private final class SyncBenchmarks {
  private let tracks: [Track]
  private var storage = MemoryStorage()
  private var author: SyncEngine?
  private var reader: SyncEngine?
  private var sqlite: SQLiteStore?

  init(size: Size) {
    tracks = (1...size(20_000)).map(Track.init(number:))
  }

  var push: Benchmark {
    Benchmark(
      name: "send new rows", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: makeAuthor) {
          guard let author = self.author else { return 0 }
          return try await author.sync().pushedTransactions * self.tracks.count
        },
        plainInsert,
      ])
  }

  var pull: Benchmark {
    Benchmark(
      name: "take in new rows", unit: "row", count: tracks.count,
      contenders: [
        Contender(
          name: Contender.ours,
          prepare: {
            try self.makeAuthor()
            _ = try await self.author?.sync()
            self.reader = try self.makeEngine("reader.db")
          }
        ) {
          guard let reader = self.reader else { return 0 }
          return try await reader.sync().changedRows
        },
        plainInsert,
      ])
  }

  var nothingNew: Benchmark {
    Benchmark(
      name: "sync with nothing new", unit: "sync", count: 1,
      contenders: [
        Contender(
          name: Contender.ours,
          prepare: {
            try self.makeAuthor()
            _ = try await self.author?.sync()
          }
        ) {
          guard let author = self.author else { return 1 }
          return try await author.sync().pushedTransactions
        }
      ])
  }

  private var plainInsert: Contender {
    Contender(
      name: "SQLite",
      prepare: {
        self.sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"), creating: Track.createTable)
      }
    ) {
      try self.sqlite?.insert(self.tracks) ?? 0
    }
  }

  private func makeAuthor() throws {
    storage = MemoryStorage()
    let engine = try makeEngine("author.db")
    try engine.database.write { connection in for track in tracks { try connection.insert(track) } }
    author = engine
  }

  private func makeEngine(_ name: String) throws -> SyncEngine {
    let database = try Database(
      TemporaryFolder.newPath(name), configuration: Configuration().tracking(),
      migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    let storage = storage
    return SyncEngine(database, storage: storage, vault: TransparentVault())
  }
}
