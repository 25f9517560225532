public import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
public import DimpleStore

/// A replica of which something was seen: another device's database, this one, or a name that this one had before.
public struct KnownReplica: Sendable, Hashable, Identifiable {
  /// What a replica is to this database.
  public enum Kind: Sendable, Hashable {
    /// Another database.
    case other
    /// This one.
    case own
    /// This one, before it was found to be a copy; the other copy may go on under the name.
    case former
  }

  /// Its name.
  public var id: ReplicaID
  /// What it is to this database.
  public var kind: Kind
  /// The key that its packs must be signed with, to compare by eye: the first 16 bytes of its SHA-256, in hexadecimal. The
  /// first key seen of a replica stays; a pack signed with another one is refused. `nil` as long as none was seen.
  public var keyFingerprint: String?
  /// The numbers of its transactions that are here, ascending.
  public var transactions: [ClosedRange<Int64>]
  /// The latest change of it that was seen, by its clock; `nil` if none was.
  public var lastChange: HybridTime?
  /// What it had seen of others, by the newest of its packs.
  public var sees: [ReplicaID: [ClosedRange<Int64>]]
}

extension SyncEngine {
  /// Every replica that this database knows, by id, over all vaults it syncs with. Needs no network.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public nonisolated func replicas() async throws -> [KnownReplica] {
    try await database.knownReplicas()
  }
}

extension Database {
  /// Every replica that this database knows; see ``SyncEngine/replicas()``.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public func knownReplicas() async throws -> [KnownReplica] {
    guard let changelog = `extension`(Changelog.self) else { return [] }
    return try await read { try KnownReplica.all($0, changelog) }
  }
}

extension KnownReplica {
  /// 32 hexadecimal digits.
  static func fingerprint(ofKey key: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(key).prefix(16))) }

  static func keyFingerprint(of replica: ReplicaID, _ connection: Connection) throws -> String? {
    guard try SyncSetting.format.integer(connection) != nil else { return nil }
    return try ReplicaTable(connection).publicKey(of: replica, connection).map(fingerprint)
  }

  static func all(_ connection: Connection, _ changelog: Changelog) throws -> [KnownReplica] {
    var known: [ReplicaID: KnownReplica] = [:]
    func update(_ id: ReplicaID, _ change: (inout KnownReplica) throws -> Void) rethrows {
      var replica = known[id] ?? KnownReplica(id: id, kind: .other, transactions: [], sees: [:])
      try change(&replica)
      known[id] = replica
    }
    if try SyncSetting.format.integer(connection) != nil {
      let table = try ReplicaTable(connection)
      for id in table.all {
        // The oldest stamp's.
        if id.rawValue == 0 { continue }
        try update(id) { $0.keyFingerprint = try table.publicKey(of: id, connection).map(fingerprint) }
      }
      for vault in try SeenTable.vaults(connection) {
        for (id, seen) in try SeenTable(vault: vault, connection: connection).load().vector {
          update(id) { replica in
            var all = RangeSet64(replica.transactions)
            all.formUnion(seen)
            replica.transactions = all.ranges
          }
        }
        for (id, row) in try HeardTable(vault: vault, connection: connection).load() {
          update(id) { replica in
            if row.time.rawValue > 0 { replica.lastChange = max(replica.lastChange ?? row.time, row.time) }
            for (other, seen) in row.vector {
              var all = RangeSet64(replica.sees[other] ?? [])
              all.formUnion(seen)
              replica.sees[other] = all.ranges
            }
          }
        }
      }
    }
    for identity in try changelog.identities(connection) {
      let last = try (identity.last ?? changelog.lastTransaction(connection)) - identity.offset
      update(identity.replica) { replica in
        replica.kind = identity.last == nil ? .own : .former
        var all = RangeSet64(replica.transactions)
        if last > 0 { all.insert(1...last) }
        replica.transactions = all.ranges
      }
    }
    return known.values.sorted { $0.id < $1.id }
  }
}
