import DimpleStore
import GRDBPeer
import Music
import SQLitePeer

extension Track: Entity {}

/// Made from a row by hand.
private struct RowTrack: RowDecodable {
  let track: Track

  init(row: borrowing RowReader) throws {
    track = Track(
      id: try row[0], name: try row[1], composer: try row[2], milliseconds: try row[3], bytes: try row[4],
      price: try row[5])
  }
}

extension Suite {
  /// The store, against the C library under it and GRDB.
  static var store: Suite { Suite(name: "store") { size in try StoreBenchmarks(size: size).all } }
}

private struct StoreBenchmarks {
  private let size: Size
  private let ours: Database
  private let sqlite: SQLiteStore
  private let grdb: GRDBStore
  private let tracks: [Track]

  init(size: Size) throws {
    self.size = size
    ours = try Database(
      TemporaryFolder.newPath("ours.db"), migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"))
    grdb = try GRDBStore(path: TemporaryFolder.newPath("grdb.db"))
    tracks = (1...size(20_000)).map(Track.init(number:))
  }

  var all: [Benchmark] {
    [
      insert, insertMany, insertPrepared, insertBySQL, commit, asyncCommit, fetchAll, fetchRows, fetchTuples,
      fetchOne, fetchOneInOneRead,
    ]
  }

  private var insert: Benchmark {
    Benchmark(
      name: "insert structs, one transaction", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) {
          try ours.write { connection in for track in tracks { try connection.insert(track) } }
          return tracks.count
        },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(tracks, transaction: true) },
        Contender(name: "GRDB", prepare: empty) { try grdb.insert(tracks) },
      ])
  }

  private var insertMany: Benchmark {
    Benchmark(
      name: "insert structs, all at once", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) {
          try ours.write { try $0.insert(contentsOf: tracks) }
          return tracks.count
        },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(tracks, transaction: true) },
        Contender(name: "GRDB", prepare: empty) { try grdb.insert(tracks) },
      ])
  }

  private var insertPrepared: Benchmark {
    Benchmark(
      name: "insert prepared, one transaction", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) {
          try ours.write { connection in
            let insert = try connection.prepared("INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)")
            for track in tracks {
              try insert.execute(track.id, track.name, track.composer, track.milliseconds, track.bytes, track.price)
            }
          }
          return tracks.count
        },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(tracks, transaction: true) },
        Contender(name: "GRDB", prepare: empty) { try grdb.insertPrepared(tracks) },
      ])
  }

  private var insertBySQL: Benchmark {
    Benchmark(
      name: "insert by SQL, one transaction", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) {
          try ours.write { connection in
            for track in tracks {
              try connection.execute(
                """
                INSERT INTO Track VALUES (\(track.id), \(track.name), \(track.composer), \(track.milliseconds), \
                \(track.bytes), \(track.price))
                """)
            }
          }
          return tracks.count
        },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(tracks, transaction: true) },
        Contender(name: "GRDB", prepare: empty) { try grdb.insertBySQL(tracks) },
      ])
  }

  private var commit: Benchmark {
    let some = Array(tracks.prefix(size(500)))
    return Benchmark(
      name: "insert a struct, a transaction each", unit: "commit", count: some.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) { try insertOneByOne(some) },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(some, transaction: false) },
        Contender(name: "GRDB", prepare: empty) { try grdb.insertOneByOne(some) },
      ])
  }

  private var asyncCommit: Benchmark {
    let some = Array(tracks.prefix(size(500)))
    return Benchmark(
      name: "insert a struct, a transaction each, async", unit: "commit", count: some.count,
      contenders: [
        Contender(name: Contender.ours, prepare: empty) {
          for track in some { try await ours.insert(track) }
          return some.count
        },
        Contender(name: "SQLite", prepare: empty) { try sqlite.insert(some, transaction: false) },
        Contender(name: "GRDB", prepare: empty) { try await grdb.insertOneByOneAsync(some) },
      ])
  }

  private func insertOneByOne(_ tracks: [Track]) throws -> Int {
    for track in tracks { try ours.insert(track) }
    return tracks.count
  }

  private var fetchAll: Benchmark {
    Benchmark(
      name: "fetch all rows as structs", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: fill) {
          try ours.read { try $0.query(Track.self, "SELECT * FROM Track") }.reduce(0) { $0 &+ $1.checksum }
        },
        Contender(name: "SQLite") { try sqlite.fetchAll() },
        Contender(name: "GRDB") { try grdb.fetchAll() },
      ])
  }

  private var fetchRows: Benchmark {
    Benchmark(
      name: "fetch all rows by init(row:)", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: fill) {
          try ours.read { try $0.query(RowTrack.self, "SELECT * FROM Track") }.reduce(0) { $0 &+ $1.track.checksum }
        },
        Contender(name: "SQLite") { try sqlite.fetchAll() },
        Contender(name: "GRDB") { try grdb.fetchAllFromRows() },
      ])
  }

  private var fetchTuples: Benchmark {
    Benchmark(
      name: "fetch all rows as tuples", unit: "row", count: tracks.count,
      contenders: [
        Contender(name: Contender.ours, prepare: fill) {
          try ours.read { try $0.query((Int64, String, String?, Int, Int, Double).self, "SELECT * FROM Track") }
            .reduce(0) { sum, row in
              let track = Track(
                id: row.0, name: row.1, composer: row.2, milliseconds: row.3, bytes: row.4, price: row.5)
              return sum &+ track.checksum
            }
        },
        Contender(name: "SQLite") { try sqlite.fetchAll() },
        Contender(name: "GRDB") { try grdb.fetchAllFromRows() },
      ])
  }

  private var fetchOne: Benchmark {
    Benchmark(
      name: "fetch one struct by key, a read each", unit: "query", count: keys.count,
      contenders: [
        Contender(name: Contender.ours, prepare: fill) { [keys] in
          var checksum = 0
          for key in keys { checksum &+= try ours.read { try track(key, $0) } }
          return checksum
        },
        Contender(name: "SQLite") { [keys] in try sqlite.fetch(keys: keys) },
        Contender(name: "GRDB") { [keys] in try grdb.fetch(keys: keys) },
      ])
  }

  private var fetchOneInOneRead: Benchmark {
    Benchmark(
      name: "fetch one struct by key, in one read", unit: "query", count: keys.count,
      contenders: [
        Contender(name: Contender.ours, prepare: fill) { [keys] in
          try ours.read { connection in try keys.reduce(0) { $0 &+ (try track($1, connection)) } }
        },
        Contender(name: "SQLite") { [keys] in
          try sqlite.execute("BEGIN")
          defer { try? sqlite.execute("COMMIT") }
          return try sqlite.fetch(keys: keys)
        },
        Contender(name: "GRDB") { [keys] in try grdb.fetchInOneRead(keys: keys) },
      ])
  }

  /// All over the table.
  private var keys: [Int64] { (0..<size(5_000)).map { Int64($0 * 7919 % tracks.count + 1) } }

  private func track(_ key: Int64, _ connection: Connection) throws -> Int {
    try connection.queryOne(Track.self, "SELECT * FROM Track WHERE id = \(key)")?.checksum ?? 0
  }

  private func empty() throws {
    try ours.execute("DELETE FROM Track")
    try sqlite.execute("DELETE FROM Track")
    try grdb.execute("DELETE FROM Track")
  }

  private func fill() throws {
    let isFull = try ours.read { try $0.queryOne(Track.self, "SELECT * FROM Track WHERE id = \(tracks.count)") } != nil
    guard !isFull else { return }
    try empty()
    try ours.write { connection in for track in tracks { try connection.insert(track) } }
    _ = try sqlite.insert(tracks, transaction: true)
    _ = try grdb.insert(tracks)
  }
}
