import DimpleStore
import Samples

/// One row by its key, many times.
struct PointQueries {
  private let stores: Stores<Track>
  /// All over as much of the table as a connection's page cache holds.
  private let keys: [Int64]

  init(_ stores: Stores<Track>, _ size: Size) {
    self.stores = stores
    let range = min(stores.rows.count, 20_000)
    keys = (0..<size(5_000)).map { Int64($0 * 7919 % range + 1) }
  }

  var all: [Benchmark] {
    [bySQL, byInitialiser, prepared, preparedByInitialiser, readEach, readEachByInitialiser, once, readEachPrepared]
  }

  private var bars: [String: Double] { ["SQLite": 1.5, "GRDB": 0.25] }

  private var bySQL: Benchmark {
    Benchmark(
      name: "one by key by SQL, in one read", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        try stores.ours.read { connection in try keys.reduce(0) { $0 &+ (try fetch($1, from: connection)) } }
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetchInOneRead(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchBySQLInOneRead(keys: keys)
      })
  }

  private var byInitialiser: Benchmark {
    Benchmark(
      name: "one by key by SQL and init(row:), in one read", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        try stores.ours.read { connection in try keys.reduce(0) { $0 &+ (try fetchRow($1, from: connection)) } }
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetchInOneRead(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchBySQLInOneRead(keys: keys)
      })
  }

  private var prepared: Benchmark {
    Benchmark(
      name: "one by key prepared, in one read", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        try stores.ours.read { connection in
          let select = try connection.prepared("\(raw: Track.selectOneSQL)")
          return try keys.reduce(0) { $0 &+ (try select.queryOne(Track.self, $1)?.checksum ?? 0) }
        }
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetchInOneRead(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchPreparedInOneRead(keys: keys)
      })
  }

  private var preparedByInitialiser: Benchmark {
    Benchmark(
      name: "one by key prepared and init(row:), in one read", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        try stores.ours.read { connection in
          let select = try connection.prepared("\(raw: Track.selectOneSQL)")
          return try keys.reduce(0) { $0 &+ (try select.queryOne(RowTrack.self, $1)?.track.checksum ?? 0) }
        }
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetchInOneRead(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchPreparedInOneRead(keys: keys)
      })
  }

  private var readEach: Benchmark {
    Benchmark(
      name: "one by key by SQL, a read each", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        var checksum = 0
        for key in keys { checksum &+= try stores.ours.read { try fetch(key, from: $0) } }
        return checksum
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetch(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchBySQL(keys: keys)
      })
  }

  private var readEachByInitialiser: Benchmark {
    Benchmark(
      name: "one by key by SQL and init(row:), a read each", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        var checksum = 0
        for key in keys { checksum &+= try stores.ours.read { try fetchRow(key, from: $0) } }
        return checksum
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetch(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchBySQL(keys: keys)
      })
  }

  private var once: Benchmark {
    Benchmark(
      name: "one by key by Database.queryOne", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        try fetchOneByOne(keys, from: stores.ours)
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetch(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetch(keys: keys)
      })
  }

  private var readEachPrepared: Benchmark {
    Benchmark(
      name: "one by key prepared, a read each", unit: "query", count: keys.count, bars: bars,
      contenders: stores.contenders(on: .allRows) { [stores, keys] in
        var checksum = 0
        for key in keys {
          checksum &+=
            try stores.ours.read { connection in
              try connection.prepared("SELECT * FROM Track WHERE id = ?").queryOne(Track.self, key)
            }?.checksum ?? 0
        }
        return checksum
      } sqlite: { [stores, keys] in
        try stores.sqlite.fetch(keys: keys)
      } grdb: { [stores, keys] in
        try stores.grdb.fetchPrepared(keys: keys)
      })
  }
}

private func fetch(_ key: Int64, from connection: Connection) throws -> Int {
  try connection.queryOne(Track.self, "SELECT * FROM Track WHERE id = \(key)")?.checksum ?? 0
}

private func fetchRow(_ key: Int64, from connection: Connection) throws -> Int {
  try connection.queryOne(RowTrack.self, "SELECT * FROM Track WHERE id = \(key)")?.track.checksum ?? 0
}

private func fetchOneByOne(_ keys: [Int64], from database: Database) throws -> Int {
  try keys.reduce(0) {
    $0 &+ (try database.queryOne(Track.self, "SELECT * FROM Track WHERE id = \($1)")?.checksum ?? 0)
  }
}
