internal import DimpleMutex
package import DimpleStore

/// One of the names under which others know what was written in this database. A database has another one for what comes
/// later where it was found to be a copy.
package struct Identity: Sendable, Hashable {
  /// The name.
  package var replica: ReplicaID
  /// The number of the last local transaction before its first: others count its transactions from 1.
  package var offset: Int64
  /// The number of its last local transaction; `nil` for the present identity.
  package var last: Int64?

  /// Whether a local transaction is this identity's.
  package func contains(_ transaction: Int64) -> Bool {
    transaction > offset && last.map { transaction <= $0 } ?? true
  }
}

/// `dimple_meta` keeps the former names as `formerReplicas`: for each, the id and the number of its last transaction.
struct Identities {
  /// The former ones, oldest first, then the present one.
  private(set) var all: [Identity]

  var present: Identity { all[all.count - 1] }

  private static let name = "formerReplicas"

  init(_ connection: Connection, present: ReplicaID) throws {
    all = []
    var offset: Int64 = 0
    if case .blob(let bytes) = try MetaTable(connection: connection)[Self.name] {
      do {
        var reader = ByteReader(bytes)
        while !reader.isAtEnd {
          let replica = ReplicaID(rawValue: try reader.varint())
          let last = try reader.identifier()
          all.append(Identity(replica: replica, offset: offset, last: last))
          offset = last
        }
      } catch {
        throw ChangelogError(
          .damagedLog, operation: "read the database's former names", message: "They do not decode: \(error).",
          hint: "Restore the database from a backup, or sync into a new one.", underlying: error)
      }
    }
    all.append(Identity(replica: present, offset: offset, last: nil))
  }

  /// Ends what is there after `transaction`, and begins a new one.
  mutating func begin(_ replica: ReplicaID, after transaction: Int64) {
    all = all.filter { $0.offset < transaction }.map { identity in
      var ended = identity
      ended.last = min(identity.last ?? transaction, transaction)
      return ended
    }
    all.append(Identity(replica: replica, offset: transaction, last: nil))
  }

  func save(_ connection: Connection) throws {
    var writer = ByteWriter()
    for identity in all.dropLast() {
      writer.varint(identity.replica.rawValue)
      writer.varint(UInt64(identity.last ?? 0))
    }
    try MetaTable(connection: connection).set(Self.name, writer.bytes.isEmpty ? .null : .blob(writer.bytes))
  }

  func replica(of transaction: Int64) -> ReplicaID {
    // Nearly always there is one, or it is the last.
    var index = all.count - 1
    while index > 0, all[index].offset >= transaction { index -= 1 }
    return all[index].replica
  }
}

extension Changelog {
  /// The names that this database's transactions have for others: the former ones, oldest first, then the present one.
  package func identities(_ connection: Connection) throws -> [Identity] {
    guard try LogTables.exist(connection) else {
      return [Identity(replica: replicaID, offset: 0, last: nil)]
    }
    return try storedIdentities(connection).all
  }

  func storedIdentities(_ connection: Connection) throws -> Identities {
    let present = try MetaValue.replica.get(connection).map { ReplicaID(rawValue: UInt64(bitPattern: $0)) }
    return try Identities(connection, present: present ?? replicaID)
  }

  /// A name that nobody has.
  package func makeReplicaID() -> ReplicaID { ReplicaID(rawValue: options.random()) }

  /// Gives the database a new identity, in the running write transaction: what comes after a transaction of the log is
  /// another replica's, also what is in the log already.
  ///
  /// For a copied database file.
  ///
  /// - Parameter transaction: The last one that keeps its name; 0 gives the whole log the new one.
  /// - Throws: ``ChangelogError`` `.notInTransaction`, `.damagedLog`.
  @discardableResult
  package func replaceReplicaID(_ connection: Connection, after transaction: Int64 = 0) throws -> ReplicaID {
    try requireWriting(connection, "replace the replica id")
    let replica = makeReplicaID()
    try connection.withInternalAccess {
      var identities = try storedIdentities(connection)
      let before = identities
      identities.begin(replica, after: transaction)
      try identities.save(connection)
      try MetaValue.replica.set(Int64(replica.rawValue), connection)
      let ownTime = OwnTime(connection: connection)
      try MergeLog.mapStamps(connection, after: transaction) { stamp in
        guard before.all.contains(where: { $0.replica == stamp.replica }),
          let number = try ownTime.transaction(at: stamp.time), before.replica(of: number) == stamp.replica
        else { return stamp }
        return Stamp(time: stamp.time, replica: identities.replica(of: number))
      }
    }
    state.withLock { $0.replica = replica }
    return replica
  }
}

/// Whose of the log's times is which.
struct OwnTime {
  let connection: Connection

  /// The local transaction that has a change of that time, if any.
  func transaction(at time: HybridTime) throws -> Int64? {
    // A run begins before it; the delete of a rekey has the time before the row's.
    let statement = try connection.prepare(
      "SELECT hlc, substr(payload, 1, \(LogRun.prefixSize)) FROM dimple_log WHERE hlc <= ? ORDER BY hlc DESC LIMIT 2")
    defer { statement.reset() }
    try statement.bind(.integer(time.rawValue + 1), at: 1)
    while try statement.step() {
      let (hlc, payload) = (statement.int64(0), statement.bytes(1))
      do {
        guard try LogRun.times(of: payload, at: hlc).contains(time.rawValue) else { continue }
        return try LogRun.summary(of: payload, at: hlc).transaction
      } catch { throw LogTables.damaged(at: HybridTime(rawValue: hlc), error) }
    }
    return nil
  }
}
