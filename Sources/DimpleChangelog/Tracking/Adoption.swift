internal import DimpleStore
internal import Synchronization

/// Makes changes of the rows that were in a table before it was tracked, once: in batches, each a transaction of its own,
/// going on after a crash where it was.
struct Adoption {
  private static let batchSize = 2000

  let changelog: Changelog
  let database: Database

  func adopt(_ table: TrackedTable) throws {
    while try database.write({ connection in
      try connection.withInternalAccess { try adoptBatch(of: table, connection) }
    }) {}
  }

  /// - Returns: Whether there may be more.
  private func adoptBatch(of table: TrackedTable, _ connection: Connection) throws -> Bool {
    guard let last = try AdoptionProgress.position(table.id, connection) else { return false }
    let columns = table.keyColumns + table.columns
    let names = columns.map { SQL.quote(identifier: $0.name) }
    let key = names.prefix(table.keyColumns.count)
    let order = key.joined(separator: ", ")
    let after = last.isEmpty ? "" : "WHERE (\(order)) > (\(last.map { _ in "?" }.joined(separator: ", ")))"
    let statement = try connection.prepare(
      """
      SELECT \(names.joined(separator: ", ")) FROM \(SQL.quote(identifier: table.name)) \(after)
      ORDER BY \(order) LIMIT \(Self.batchSize)
      """)
    defer { statement.reset() }
    try statement.bindAll(last)
    var count = 0
    var position: [SQLValue] = []
    while try statement.step() {
      let values = columns.indices.map { statement.value(Int32($0)) }
      position = Array(values.prefix(table.keyColumns.count))
      try log(table, position, Array(values.dropFirst(position.count)), connection)
      count += 1
    }
    if count < Self.batchSize {
      try AdoptionProgress.end(table.id, connection)
      return false
    }
    try AdoptionProgress.setPosition(position, table.id, connection)
    return true
  }

  private func log(
    _ table: TrackedTable, _ key: [SQLValue], _ values: [SQLValue], _ connection: Connection
  ) throws {
    guard !key.contains(.null) else {
      throw ChangelogError(
        .nullKey, operation: "adopt the table \(table.name)", message: "A row has NULL in its primary key.",
        hint: "Give it a value, and declare the key NOT NULL.")
    }
    let wall = changelog.options.clock.milliseconds()
    let (time, transaction) = changelog.state.withLock { state in
      (state.recorder.tick(wall: wall), state.recorder.currentTransaction)
    }
    let payload = LogPayload(
      operation: .insert, transaction: transaction, table: table.id, key: key,
      columns: zip(table.columns, values).map { LogPayload.Column(id: $0.id, value: $1) })
    try connection.prepare("INSERT INTO dimple_log(hlc, payload) VALUES (?, ?)")
      .run(.integer(time.rawValue), .blob(payload.bytes))
  }
}

/// Which tables are being adopted, and the last key that was: `adopting.<table>` in `dimple_meta`.
enum AdoptionProgress {
  private static func name(_ table: Int64) -> String { "adopting.\(table)" }

  static func begin(_ tables: [TrackedTable], _ connection: Connection) throws {
    for table in tables { try setPosition([], table.id, connection) }
  }

  static func pending(_ connection: Connection) throws -> Set<Int64> {
    let names = try connection.rows("SELECT name FROM dimple_meta WHERE name GLOB 'adopting.*'")
    return Set(try names.compactMap { Int64((try $0.get("name") as String).dropFirst("adopting.".count)) })
  }

  /// Empty before the first row; `nil` when the table is done.
  static func position(_ table: Int64, _ connection: Connection) throws -> [SQLValue]? {
    let statement = try connection.prepare("SELECT value FROM dimple_meta WHERE name = ?")
    defer { statement.reset() }
    try statement.bind(.text(name(table)), at: 1)
    guard try statement.step() else { return nil }
    var reader = ByteReader(statement.bytes(0))
    var key: [SQLValue] = []
    while !reader.isAtEnd { key.append(try reader.value()) }
    return key
  }

  static func setPosition(_ key: [SQLValue], _ table: Int64, _ connection: Connection) throws {
    var writer = ByteWriter()
    for value in key { writer.value(value) }
    try connection.prepare("INSERT OR REPLACE INTO dimple_meta(name, value) VALUES (?, ?)")
      .run(.text(name(table)), .blob(writer.bytes))
  }

  static func end(_ table: Int64, _ connection: Connection) throws {
    try connection.prepare("DELETE FROM dimple_meta WHERE name = ?").run(.text(name(table)))
  }
}
