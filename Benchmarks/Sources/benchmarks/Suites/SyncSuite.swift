import DimpleChangelog
import DimpleCrypto
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import SQLitePeer
import Samples
import Synchronization

extension Suite {
  /// Sending, taking in and merging many changes. The peer is the plain insert or update of the same rows, in the order of their
  /// keys; for the merge alone also the original's algorithm.
  static var sync: Suite {
    Suite(name: "sync") { size in
      let benchmarks = SyncBenchmarks(size: size)
      return [benchmarks.mergeFresh, benchmarks.mergeExisting, benchmarks.writing]
        + Remote.allCases.flatMap { [benchmarks.push($0), benchmarks.pull($0)] } + [benchmarks.nothingNew]
    }
  }
}

/// Through what the changes travel.
private enum Remote: String, CaseIterable {
  /// In memory, readable: the engine's own work.
  case memory = "in memory"
  case encrypted = "in memory, encrypted"
  case directory = "in a directory, encrypted"

  func open() throws -> any ObjectStorage {
    self == .directory ? try DirectoryStorage(TemporaryFolder.newPath("vault")) : MemoryStorage()
  }

  var vault: any VaultProvider {
    self == .memory ? TransparentVault() : AgeVaultProvider(passphrase: "benchmark", workFactor: 1)
  }
}

/// Replicas that a run needs fresh each time. A row has five columns beside its key: five attributes.
private final class SyncBenchmarks {
  private let tracks: [Track]
  private let changed: [Track]
  /// As many as are taken in for some hundred writes.
  private let manyTracks: [Track]
  private var author: SyncEngine?
  private var reader: SyncEngine?
  private var sqlite: SQLiteStore?
  private var report: SyncReport?
  private var latency = Duration.zero

  init(size: Size) {
    tracks = (1...size(20_000)).map(Track.init(number:))
    manyTracks = (1...size(60_000)).map(Track.init(number:))
    changed = tracks.map { track in
      var track = track
      track.name += "!"
      track.composer = "Composer of \(track.id)"
      track.milliseconds += 1
      track.bytes += 1
      track.price += 1
      return track
    }
  }

  // MARK: - The merge alone

  var mergeFresh: Benchmark {
    Benchmark(
      name: "merge 5 attributes of new rows", unit: "row", count: tracks.count,
      bars: ["SQLite": 2.5, "per change": 1 / 15],
      contenders: [
        merging { try await self.makeReader(.memory, self.tracks) },
        plainInsert,
        Contender(name: "per change", prepare: { try self.makePeer(Track.createTable, SQLiteStore.perChangeSchema) }) {
          try self.sqlite?.mergePerChange(self.tracks, hlc: "2026-01-01T00:00:00.000Z-0000") ?? 0
        },
      ])
  }

  var mergeExisting: Benchmark {
    Benchmark(
      name: "merge 5 attributes into known rows", unit: "row", count: tracks.count,
      bars: ["SQLite": 1.5, "per change": 1 / 15],
      contenders: [
        merging { try await self.makeReader(.memory, self.tracks, knowsRows: true) },
        Contender(
          name: "SQLite",
          prepare: {
            try self.makePeer(Track.createTable)
            _ = try self.sqlite?.insert(self.tracks)
          }
        ) { try self.sqlite?.update(self.changed) ?? 0 },
        Contender(
          name: "per change",
          prepare: {
            try self.makePeer(Track.createTable, SQLiteStore.perChangeSchema)
            _ = try self.sqlite?.mergePerChange(self.tracks, hlc: "2026-01-01T00:00:00.000Z-0000")
          }
        ) { try self.sqlite?.mergePerChange(self.changed, hlc: "2026-01-02T00:00:00.000Z-0000") ?? 0 },
      ])
  }

  /// Only the time in which the merge has the database counts.
  private func merging(_ prepare: @escaping () async throws -> Void) -> Contender {
    Contender(name: Contender.ours, prepare: prepare) {
      guard let reader = self.reader else { return 0 }
      let report = try await reader.sync()
      self.report = report
      return report.changedRows
    } duration: {
      self.report?.durations[.merging]
    }
  }

  // MARK: - Writing meanwhile

  /// The app writes a row now and then, and waits for it, while its database takes in many.
  var writing: Benchmark {
    Benchmark(
      name: "a write while rows are taken in, 99th percentile", unit: "write", count: 1, bars: ["idle": 2],
      contenders: [
        Contender(name: Contender.ours, prepare: { try await self.makeReader(.memory, self.manyTracks, together: 20) })
        {
          guard let reader = self.reader else { return 0 }
          let isDone = Flag()
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              _ = try await reader.sync()
              isDone.set()
            }
            self.latency = try await Self.writes(reader.database) { !isDone.isSet }
            try await group.waitForAll()
          }
          return 0
        } duration: {
          self.latency
        },
        Contender(name: "idle", prepare: { try await self.makeReader(.memory, self.tracks) }) {
          guard let reader = self.reader else { return 0 }
          var count = 0
          self.latency = try await Self.writes(reader.database) {
            count += 1
            return count <= 300
          }
          return 0
        } duration: {
          self.latency
        },
      ])
  }

  /// The 99th percentile of how long writes take.
  private static func writes(_ database: Database, while goesOn: () -> Bool) async throws -> Duration {
    var times: [Duration] = []
    while goesOn() {
      let id = 10_000_000 + times.count
      let start = ContinuousClock.now
      try await database.write { try $0.insert(Track(number: id)) }
      times.append(ContinuousClock.now - start)
      try await Task.sleep(for: .milliseconds(1))
    }
    times.sort()
    return times.isEmpty ? .zero : times[times.count * 99 / 100]
  }

  // MARK: - Whole syncs

  func push(_ remote: Remote) -> Benchmark {
    Benchmark(
      name: "send new rows, \(remote.rawValue)", unit: "row", count: tracks.count, bars: ["SQLite": 3],
      contenders: [
        Contender(name: Contender.ours, prepare: { try await self.makeAuthor(remote) }) {
          guard let author = self.author else { return 0 }
          return try await author.sync().pushedTransactions * self.tracks.count
        },
        plainInsert,
      ])
  }

  func pull(_ remote: Remote) -> Benchmark {
    Benchmark(
      name: "take in new rows, \(remote.rawValue)", unit: "row", count: tracks.count, bars: ["SQLite": 3],
      contenders: [
        Contender(name: Contender.ours, prepare: { try await self.makeReader(remote, self.tracks) }) {
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
            try await self.makeAuthor(.memory)
            _ = try await self.author?.sync()
          }
        ) {
          guard let author = self.author else { return 1 }
          return try await author.sync().pushedTransactions
        }
      ])
  }

  // MARK: - Replicas and peers

  private var plainInsert: Contender {
    Contender(name: "SQLite", prepare: { try self.makePeer(Track.createTable) }) {
      try self.sqlite?.insert(self.tracks) ?? 0
    }
  }

  private func makePeer(_ schemas: String...) throws {
    sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"), creating: schemas.joined(separator: ";"))
  }

  /// An author that has written all rows; its vault is open, which is done once in a process's life.
  private func makeAuthor(_ remote: Remote) async throws {
    let engine = try makeEngine("author.db", remote.open(), remote.vault)
    _ = try await engine.sync()
    try await engine.database.write { [tracks] connection in for track in tracks { try connection.insert(track) } }
    author = engine
  }

  /// A reader to which everything that an author wrote is new, or to which what it wrote last is.
  ///
  /// - Parameter together: Rows in a transaction; all without. A transaction is merged as a whole.
  private func makeReader(
    _ remote: Remote, _ tracks: [Track], knowsRows: Bool = false, together: Int? = nil
  ) async throws {
    let (storage, vault) = (try remote.open(), remote.vault)
    let author = try makeEngine("author.db", storage, vault)
    let reader = try makeEngine("reader.db", storage, vault)
    _ = try await reader.sync()
    for start in stride(from: 0, to: tracks.count, by: together ?? tracks.count) {
      let rows = tracks[start..<min(start + (together ?? tracks.count), tracks.count)]
      try await author.database.write { connection in for track in rows { try connection.insert(track) } }
    }
    _ = try await author.sync()
    if knowsRows {
      _ = try await reader.sync()
      try await author.database.write { [changed] connection in for track in changed { try connection.update(track) } }
      _ = try await author.sync()
    }
    self.author = author
    self.reader = reader
  }

  private func makeEngine(
    _ name: String, _ storage: any ObjectStorage, _ vault: any VaultProvider
  ) throws -> SyncEngine {
    let database = try Database(
      TemporaryFolder.newPath(name), configuration: Configuration().tracking(),
      migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    return SyncEngine(database, storage: storage, vault: vault)
  }
}

/// Set once, by another task.
private final class Flag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .relaxed) }

  func set() { value.store(true, ordering: .relaxed) }
}
