import DimpleStore
import GRDBPeer
import SQLitePeer
import Samples

/// Many readers of one file in WAL mode, beside a writer and without one. A read is a hundred rows into structs, a write one
/// row in a transaction of its own.
struct ConcurrentReading {
  private let size: Size
  private let reads: Int
  private let writes: Int

  init(size: Size) {
    self.size = size
    reads = size(1_000)
    writes = size(2_000)
  }

  var all: [LoadBenchmark] {
    [
      threads("1 reader", Load(readers: 1, reads: reads, writes: 0)),
      threads("8 readers", Load(readers: 8, reads: reads, writes: 0)),
      threads("8 readers, 1 writer", Load(readers: 8, reads: reads, writes: writes)),
      tasks("8 readers, 1 writer, async", Load(readers: 8, reads: reads, writes: writes)),
    ]
  }

  private func threads(_ name: String, _ load: Load) -> LoadBenchmark {
    LoadBenchmark(
      name: name, load: load,
      contenders: [
        LoadContender(name: Contender.ours) { load in
          let database = try openOurs(load)
          return try load.onThreads { reader, number in
            let keys = keys(reader, number)
            return try database.read { try fetch(keys, from: $0) }
          } write: { number in
            try database.execute("UPDATE Track SET price = price + 0.01 WHERE id = \(written(number))")
          }
        },
        LoadContender(name: "SQLite") { load in
          let path = try newFile()
          let readers = try (0..<load.readers).map { _ in try SQLiteStore(path: path, creating: nil) }
          let writer = try SQLiteStore(path: path, creating: nil)
          // Each is used by one thread alone.
          nonisolated(unsafe) let (unsafeReaders, unsafeWriter) = (readers, writer)
          return try load.onThreads { reader, number in
            let keys = keys(reader, number)
            return try unsafeReaders[reader].fetch(from: keys.lowerBound, to: keys.upperBound)
          } write: { number in
            _ = try unsafeWriter.writeEachKey([written(number)], updateSQL)
          }
        },
        LoadContender(name: "GRDB") { load in
          let store = try openGRDB(load)
          return try load.onThreads { reader, number in
            let keys = keys(reader, number)
            return try store.fetch(from: keys.lowerBound, to: keys.upperBound)
          } write: { number in
            _ = try store.writeEachKey([written(number)], updateSQL)
          }
        },
      ])
  }

  private func tasks(_ name: String, _ load: Load) -> LoadBenchmark {
    LoadBenchmark(
      name: name, load: load,
      contenders: [
        LoadContender(name: Contender.ours) { load in
          let database = try openOurs(load)
          return try await load.inTasks { reader, number in
            let keys = keys(reader, number)
            return try await database.read { try fetch(keys, from: $0) }
          } write: { number in
            try await database.execute("UPDATE Track SET price = price + 0.01 WHERE id = \(written(number))")
          }
        },
        LoadContender(name: "GRDB") { load in
          let store = try openGRDB(load)
          return try await load.inTasks { reader, number in
            let keys = keys(reader, number)
            return try await store.fetchAsync(from: keys.lowerBound, to: keys.upperBound)
          } write: { number in
            _ = try await store.writeEachKeyAsync([written(number)], updateSQL)
          }
        },
      ])
  }

  private func openOurs(_ load: Load) throws -> Database {
    var configuration = Configuration()
    configuration.readerCount = load.readers
    return try Database(newFile(), configuration: configuration)
  }

  private func openGRDB(_ load: Load) throws -> GRDBStore {
    try GRDBStore(path: newFile(), creating: nil, readerCount: load.readers)
  }

  private func newFile() throws -> String {
    let path = TemporaryFolder.newPath("load.db")
    try SQLiteStore(path: path, creating: Track.createTable).fill((1...5_000).map(Track.init(number:)))
    return path
  }
}

private let updateSQL = "UPDATE Track SET price = price + 0.01 WHERE id = ?"

/// A hundred of the first 3,000, each reader's others than its neighbour's.
private func keys(_ reader: Int, _ number: Int) -> ClosedRange<Int64> {
  let first = Int64((reader * 997 + number * 7919) % 2_900 + 1)
  return first...(first + 99)
}

/// None of those that are read, so that all readers see the same whenever they look.
private func written(_ number: Int) -> Int64 { Int64(3_001 + number % 2_000) }

private func fetch(_ keys: ClosedRange<Int64>, from connection: Connection) throws -> Int {
  try connection.query(
    RowTrack.self, "SELECT * FROM Track WHERE id BETWEEN \(keys.lowerBound) AND \(keys.upperBound)"
  ).sum { $0.track.checksum }
}
