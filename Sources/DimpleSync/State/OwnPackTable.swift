internal import DimpleChangelog
internal import DimpleStore

/// `dimple_own_pack`: the packs under this database's names of which it knows that they say what its own log says, since it
/// put them or has compared them. Anything else under its names was written by a copy of the database.
struct OwnPackTable {
  struct Row: Sendable {
    var key: String
    var name: PackName
    var chain: PackChain
    /// In bytes; `nil` for one that was noted when sizes were not yet.
    var unfoldedSize: Int?
  }

  let vault: String
  let connection: Connection

  /// By key; of packs put by others, the names' hashes are not kept.
  func load() throws -> [String: Row] {
    let statement = try connection.prepare(
      "SELECT key, replica, first, last, before, after, size FROM dimple_own_pack WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var rows: [String: Row] = [:]
    while try statement.step() {
      let name = PackName(
        replica: statement.replica(1),
        range: statement.range(2, 3), contentHash: [])
      rows[statement.text(0)] = Row(
        key: statement.text(0), name: name,
        chain: PackChain(before: statement.bytes(4), after: statement.bytes(5)),
        unfoldedSize: statement.int64(6) > 0 ? Int(clamping: statement.int64(6)) : nil)
    }
    return rows
  }

  func contains(_ key: String) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_own_pack WHERE vault = ? AND key = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(.text(key), at: 2)
    return try statement.step()
  }

  func insert(_ key: String, _ header: PackHeader, unfoldedSize: Int) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_own_pack VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
      .text(vault), .text(key), header.replica.sqlValue, .integer(header.range.lowerBound),
      .integer(header.range.upperBound), .blob(header.chain.before), .blob(header.chain.after),
      .integer(Int64(unfoldedSize)))
  }

  func setSize(_ key: String, unfolded: Int) throws {
    try connection.prepare("UPDATE dimple_own_pack SET size = ? WHERE vault = ? AND key = ?")
      .run(.integer(Int64(unfolded)), .text(vault), .text(key))
  }

  /// The table as the first version of its format had it gets the size.
  static func upgrade(_ connection: Connection) throws {
    let statement = try connection.prepare("SELECT 1 FROM pragma_table_info('dimple_own_pack') WHERE name = 'size'")
    defer { statement.reset() }
    if try statement.step() { return }
    try connection.prepare("ALTER TABLE dimple_own_pack ADD COLUMN size INTEGER NOT NULL DEFAULT 0").run()
  }

  func remove(_ key: String) throws {
    try connection.prepare("DELETE FROM dimple_own_pack WHERE vault = ? AND key = ?").run(.text(vault), .text(key))
  }
}
