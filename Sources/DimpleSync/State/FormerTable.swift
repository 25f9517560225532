internal import DimpleChangelog
internal import DimpleStore

/// `dimple_former`: how far the log of a former name is in a vault; and the former names' signing keys.
struct FormerTable {
  let connection: Connection

  /// The last transaction that is in the vault, as others number them, and the chain after it.
  func pushed(of replica: ReplicaID, to vault: String) throws -> (last: Int64, chain: [UInt8]) {
    let statement = try connection.prepare("SELECT last, chain FROM dimple_former WHERE vault = ? AND replica = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(replica.sqlValue, at: 2)
    return try statement.step() ? (statement.int64(0), statement.bytes(1)) : (0, LogChain.start)
  }

  /// The database never had another name under which something was sent.
  func isEmpty() throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_former UNION SELECT 1 FROM dimple_former_key LIMIT 1")
    defer { statement.reset() }
    return try !statement.step()
  }

  /// In every vault.
  func all(of replica: ReplicaID) throws -> [(vault: String, last: Int64, chain: [UInt8])] {
    let statement = try connection.prepare("SELECT vault, last, chain FROM dimple_former WHERE replica = ?")
    defer { statement.reset() }
    try statement.bind(replica.sqlValue, at: 1)
    var rows: [(vault: String, last: Int64, chain: [UInt8])] = []
    while try statement.step() { rows.append((statement.text(0), statement.int64(1), statement.bytes(2))) }
    return rows
  }

  func setPushed(_ last: Int64, chain: [UInt8], of replica: ReplicaID, to vault: String) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_former(vault, replica, last, chain) VALUES (?, ?, ?, ?)")
      .run(.text(vault), replica.sqlValue, .integer(last), .blob(chain))
  }

  func remove(_ replica: ReplicaID) throws {
    try connection.prepare("DELETE FROM dimple_former WHERE replica = ?").run(replica.sqlValue)
  }

  /// The private key of a former name; `nil` where it never signed anything.
  func signingKey(of replica: ReplicaID) throws -> [UInt8]? {
    let statement = try connection.prepare("SELECT key FROM dimple_former_key WHERE replica = ?")
    defer { statement.reset() }
    try statement.bind(replica.sqlValue, at: 1)
    return try statement.step() ? statement.bytes(0) : nil
  }

  /// The private keys of all former names that signed something.
  func signingKeys() throws -> [(replica: ReplicaID, key: [UInt8])] {
    let statement = try connection.prepare("SELECT replica, key FROM dimple_former_key ORDER BY replica")
    defer { statement.reset() }
    var keys: [(replica: ReplicaID, key: [UInt8])] = []
    while try statement.step() {
      keys.append((ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0))), statement.bytes(1)))
    }
    return keys
  }

  func setSigningKey(_ key: [UInt8], of replica: ReplicaID) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_former_key(replica, key) VALUES (?, ?)")
      .run(replica.sqlValue, .blob(key))
  }

  /// Packs beyond where a former name parted, by key: whether they are this database's. Of others', those that were sent once
  /// more.
  func contested(in vault: String) throws -> [String: Bool] {
    let statement = try connection.prepare("SELECT key, own FROM dimple_contested WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var keys: [String: Bool] = [:]
    while try statement.step() { keys[statement.text(0)] = statement.int64(1) != 0 }
    return keys
  }

  /// What this database has sent under a name, beyond its last transaction from now on.
  ///
  /// - Parameter end: Its last transaction until now: what lies beyond that is a copy's.
  func noteContested(_ replica: ReplicaID, after last: Int64, upTo end: Int64) throws {
    try connection.prepare(
      """
      INSERT OR IGNORE INTO dimple_contested(vault, key, own)
      SELECT vault, key, 1 FROM dimple_own_pack WHERE replica = ? AND last > ? AND last <= ?
      """
    ).run(replica.sqlValue, .integer(last), .integer(end))
  }

  func setSentAgain(_ key: String, to vault: String) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_contested(vault, key, own) VALUES (?, ?, 0)")
      .run(.text(vault), .text(key))
  }
}
