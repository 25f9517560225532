import CSQLite
import Samples

/// One form per sample, so that the compiler makes of each what one would write by hand.
extension SQLiteStore {
  package func insert(_ tracks: [Track]) throws -> Int { try insertAll(tracks) }
  package func insert(_ orders: [Order]) throws -> Int { try insertAll(orders) }
  package func insert(_ items: [Item]) throws -> Int { try insertAll(items) }

  package func fetchTracks() throws -> Int { try fetchAll(Track.self) }
  package func fetchOrders() throws -> Int { try fetchAll(Order.self) }
  package func fetchItems() throws -> Int { try fetchAll(Item.self) }

  /// The same array that the store makes: one of tuples takes longer to take apart than one of structs.
  package func fetchTrackTuples() throws -> Int {
    try fetchAll(Track.selectSQL) { statement -> TrackTuple in trackTuple(statement) }.sum(checksum)
  }

  /// The same array that the store makes: one of tuples takes longer to take apart than one of structs.
  package func fetchOrderTuples() throws -> Int {
    try fetchAll(Order.selectSQL) { statement -> OrderTuple in orderTuple(statement) }.sum(checksum)
  }

  /// Any sample, when it does not matter how long it takes.
  package func fill<Row: SQLiteRow>(_ rows: [Row]) throws { _ = try insertAll(rows) }

  /// A transaction each.
  package func insertOneByOne(_ tracks: [Track]) throws -> Int {
    let begin = try prepare("BEGIN IMMEDIATE")
    let statement = try prepare(Track.insertSQL)
    let commit = try prepare("COMMIT")
    for track in tracks {
      try finish(begin)
      track.bind(to: statement)
      try finish(statement)
      try finish(commit)
    }
    return tracks.count
  }

  /// A point query for each, in autocommit.
  package func fetch(keys: [Int64]) throws -> Int {
    let statement = try prepare(Track.selectOneSQL)
    var checksum = 0
    for key in keys {
      sqlite3_bind_int64(statement, 1, key)
      if sqlite3_step(statement) == SQLITE_ROW { checksum &+= Track(columnsOf: statement).checksum }
      sqlite3_reset(statement)
    }
    return checksum
  }

  /// A point query for each, in one transaction.
  package func fetchInOneRead(keys: [Int64]) throws -> Int {
    try execute("BEGIN")
    defer { try? execute("COMMIT") }
    return try fetch(keys: keys)
  }

  /// The tracks from one key to another, in a transaction of their own.
  package func fetch(from first: Int64, to last: Int64) throws -> Int {
    let statement = try prepare(Track.selectRangeSQL)
    sqlite3_bind_int64(statement, 1, first)
    sqlite3_bind_int64(statement, 2, last)
    var tracks: [Track] = []
    while sqlite3_step(statement) == SQLITE_ROW { tracks.append(Track(columnsOf: statement)) }
    sqlite3_reset(statement)
    return tracks.checksum
  }

  /// Every value of every row, and no struct.
  package func sumItems() throws -> Int {
    let statement = try prepare(Item.selectSQL)
    var sum = 0
    while sqlite3_step(statement) == SQLITE_ROW {
      for column in Int32(0)..<10 { sum &+= Int(sqlite3_column_int64(statement, column)) }
    }
    sqlite3_reset(statement)
    return sum
  }

  private func insertAll<Row: SQLiteRow>(_ rows: [Row]) throws -> Int {
    let statement = try prepare(Row.insertSQL)
    try execute("BEGIN IMMEDIATE")
    for row in rows {
      row.bind(to: statement)
      try finish(statement)
    }
    try execute("COMMIT")
    return rows.count
  }

  private func fetchAll<Row: SQLiteRow>(_ type: Row.Type) throws -> Int {
    try fetchAll(Row.selectSQL, Row.init(columnsOf:)).checksum
  }

  @inline(__always) private func fetchAll<Row>(_ sql: String, _ make: (OpaquePointer) -> Row) throws -> [Row] {
    let statement = try prepare(sql)
    var rows: [Row] = []
    while sqlite3_step(statement) == SQLITE_ROW { rows.append(make(statement)) }
    sqlite3_reset(statement)
    return rows
  }
}
