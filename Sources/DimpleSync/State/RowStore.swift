internal import DimpleChangelog
internal import DimpleStore

/// A row of any table: the table's number and the key's values, encoded.
struct RowKey: Hashable, Comparable {
  var table: Int64
  var key: [UInt8]

  // An array's own comparison and hash go element by element, each through a generic call.
  static func < (left: RowKey, right: RowKey) -> Bool {
    guard left.table == right.table else { return left.table < right.table }
    return left.key.withUnsafeBytes { left in
      right.key.withUnsafeBytes { right in
        for index in 0..<min(left.count, right.count) where left[index] != right[index] {
          return left[index] < right[index]
        }
        return left.count < right.count
      }
    }
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(table)
    key.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

/// Reads and writes `dimple_row`.
struct RowStore {
  struct Entry {
    var state: RowState
    var status: RowStatus
  }

  let connection: Connection
  var replicas: ReplicaTable
  let digest = DigestKeeper()

  init(_ connection: Connection) throws {
    self.connection = connection
    replicas = try ReplicaTable(connection)
  }

  /// `nil` for a row never seen.
  func load(_ key: RowKey) throws -> Entry? {
    let statement = try connection.prepare("SELECT state, status FROM dimple_row WHERE tbl = ? AND key = ?")
    defer { statement.reset() }
    try statement.bind(.integer(key.table), at: 1)
    try statement.bind(.blob(key.key), at: 2)
    guard try statement.step() else { return nil }
    return try entry(state: statement.bytes(0), status: statement.int64(1))
  }

  private func entry(state: [UInt8], status: Int64) throws -> Entry {
    guard let status = RowStatus(rawValue: status) else { throw RowStateCodec.damaged() }
    return Entry(state: try RowStateCodec.decode(state, replicas), status: status)
  }

  /// - Parameter names: For the digest.
  mutating func save(_ key: RowKey, _ state: RowState, _ status: RowStatus, _ names: NameTable) throws {
    if let before = try load(key) { digest.remove(digest.digest(key, before.state, names)) }
    digest.add(digest.digest(key, state, names))
    let encoded = try RowStateCodec.encode(state) { try replicas.number(of: $0, connection) }
    let statement = try connection.prepare(
      """
      INSERT INTO dimple_row(tbl, key, state, status) VALUES (?, ?, ?, ?)
      ON CONFLICT(tbl, key) DO UPDATE SET state = excluded.state, status = excluded.status
      """)
    try statement.run(.integer(key.table), .blob(key.key), .blob(encoded), .integer(status.rawValue))
  }

  /// The rows that their table does not show as the state has them.
  ///
  /// - Parameter includingUnknown: Those, too, that wait for a table or column to become part of the schema.
  func unsettled(in table: Int64, includingUnknown: Bool) throws -> [RowKey] {
    let waiting = includingUnknown ? "" : "AND status NOT IN (1, 9)"
    let statement = try connection.prepare("SELECT key FROM dimple_row WHERE tbl = ? AND status > 0 \(waiting)")
    defer { statement.reset() }
    try statement.bind(.integer(table), at: 1)
    var keys: [RowKey] = []
    while try statement.step() { keys.append(RowKey(table: table, key: statement.bytes(0))) }
    return keys
  }

  /// The rows that live where updates revive.
  func revivable(in table: Int64) throws -> [RowKey] {
    var keys: [RowKey] = []
    try forEach(in: table) { key, entry in if entry.state.revivedAt != nil { keys.append(key) } }
    return keys
  }

  /// Calls `body` with every row of a table whose key follows `after`, in the order of the keys, until it returns `false`.
  ///
  /// - Returns: Whether it came to the end.
  func forEach(
    in table: Int64, after: [UInt8]?, _ body: (RowKey, Entry) throws -> Bool
  ) throws -> Bool {
    let condition = after == nil ? "" : "AND key > ?"
    let statement = try connection.prepare(
      "SELECT key, state, status FROM dimple_row WHERE tbl = ? \(condition) ORDER BY key")
    defer { statement.reset() }
    try statement.bind(.integer(table), at: 1)
    if let after { try statement.bind(.blob(after), at: 2) }
    while try statement.step() {
      let key = RowKey(table: table, key: statement.bytes(0))
      if try !body(key, entry(state: statement.bytes(1), status: statement.int64(2))) { return false }
    }
    return true
  }

  /// Calls `body` with every row of a table, in the order of the keys.
  func forEach(in table: Int64, _ body: (RowKey, Entry) throws -> Void) throws {
    let statement = try connection.prepare("SELECT key, state, status FROM dimple_row WHERE tbl = ? ORDER BY key")
    defer { statement.reset() }
    try statement.bind(.integer(table), at: 1)
    while try statement.step() {
      let key = RowKey(table: table, key: statement.bytes(0))
      try body(key, entry(state: statement.bytes(1), status: statement.int64(2)))
    }
  }
}
