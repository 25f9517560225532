internal import DimpleChangelog
internal import DimpleStore

/// Small numbers for replica ids, and the public key that each was first seen with: `dimple_replica(number, id, key)`.
struct ReplicaTable {
  private var numbers: [ReplicaID: Int64] = [:]
  private(set) var replicas: [Int64: ReplicaID] = [:]

  /// Reads all.
  init(_ connection: Connection) throws {
    let statement = try connection.prepare("SELECT number, id FROM dimple_replica")
    defer { statement.reset() }
    while try statement.step() { remember(statement.int64(0), statement.replica(1)) }
  }

  private mutating func remember(_ number: Int64, _ replica: ReplicaID) {
    numbers[replica] = number
    replicas[number] = replica
  }

  /// By number.
  var all: [ReplicaID] { replicas.sorted { $0.key < $1.key }.map(\.value) }

  /// The replica's number, given out now if it is new.
  mutating func number(of replica: ReplicaID, _ connection: Connection) throws -> Int64 {
    if let number = numbers[replica] { return number }
    // Another copy of this table may have given it out meanwhile.
    let known = try connection.prepare("SELECT number FROM dimple_replica WHERE id = ?")
    defer { known.reset() }
    try known.bind(replica.sqlValue, at: 1)
    if try known.step() {
      remember(known.int64(0), replica)
      return known.int64(0)
    }
    let insert = try connection.prepare("INSERT INTO dimple_replica(id) VALUES (?)")
    try insert.run(replica.sqlValue)
    let number = connection.lastInsertRowID
    remember(number, replica)
    return number
  }

  /// The replica that has a number.
  func replica(_ number: Int64) throws -> ReplicaID {
    guard let replica = replicas[number] else {
      throw SyncError(
        .damagedState, operation: "read the merged state", message: "A row names a replica that is not known.",
        hint: "Restore the database from a backup, or sync into a new one.")
    }
    return replica
  }

  /// The key that the replica's packs must be signed with: the first one seen.
  func publicKey(of replica: ReplicaID, _ connection: Connection) throws -> [UInt8]? {
    let statement = try connection.prepare("SELECT key FROM dimple_replica WHERE id = ? AND key IS NOT NULL")
    defer { statement.reset() }
    try statement.bind(replica.sqlValue, at: 1)
    return try statement.step() ? statement.bytes(0) : nil
  }

  /// Forgets the key of a replica.
  static func unpin(_ replica: ReplicaID, _ connection: Connection) throws {
    try connection.prepare("UPDATE dimple_replica SET key = NULL WHERE id = ?").run(replica.sqlValue)
  }

  /// Remembers the key of a replica seen for the first time.
  mutating func pin(_ publicKey: [UInt8], of replica: ReplicaID, _ connection: Connection) throws {
    let number = try number(of: replica, connection)
    let update = try connection.prepare("UPDATE dimple_replica SET key = ? WHERE number = ? AND key IS NULL")
    try update.run(.blob(publicKey), .integer(number))
  }
}
