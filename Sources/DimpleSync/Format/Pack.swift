internal import DimpleChangelog
internal import DimpleStore

/// The first line of a pack: an immutable run of one replica's transactions, as one object of the bucket holds it.
/// docs/FORMAT.md has the bytes.
struct PackHeader: Equatable {
  /// The version that this library writes; it reads this one and older ones.
  static let currentFormat: Int64 = 1

  /// The author's merged state at the moment its own log was folded up to transaction `own`: with equal vectors and equal
  /// `own`, equal digests.
  struct State: Equatable {
    var digest: [UInt8]
    var own: Int64
  }

  /// What hides the hashes of one table's changes where these are left out.
  struct Salt: Equatable {
    var table: String
    /// 16 bytes.
    var salt: [UInt8]
  }

  var format = Self.currentFormat
  /// `Vault.id` of the vault it lies in.
  var vault: String
  var replica: ReplicaID
  /// Transaction numbers, inclusive.
  var range: ClosedRange<Int64>
  var chain: PackChain
  /// What the author had merged of every other replica, from whichever vault, when it wrote this.
  var vector: [ReplicaID: RangeSet64]
  /// What of `vector` it had not merged from this vault.
  var elsewhere: [ReplicaID: RangeSet64] = [:]
  /// How many migrations the author's database had applied, or 0.
  var schema: Int64 = 0
  /// The author's app and its version, in the app's own words.
  var app: String?
  var state: State?
  /// Of the tables that the pack shows changes of, by the bytes of their names.
  var salts: [Salt] = []
  /// The author's public key.
  var publicKey: [UInt8]
  /// Over the header without this member and `vault`.
  var signature: [UInt8] = []
}

/// The hash chain of a replica's log just before a pack's first and just after its last transaction.
struct PackChain: Equatable {
  var before: [UInt8]
  var after: [UInt8]
}

/// One local commit of some replica.
struct PackTransaction: Equatable {
  /// A change that this vault does not show.
  struct Left: Equatable {
    /// Among all changes of the transaction, from 0.
    var position: Int
    var time: HybridTime
    /// 32 bytes.
    var hash: [UInt8]
  }

  var number: Int64
  /// When its first change was made.
  var time: HybridTime
  /// In order; without those left out.
  var changes: [PackChange]
  /// Ascending by position.
  var left: [Left] = []
  /// The transaction's hash, where it is left out as a whole: then nothing else is known of it.
  var leftHash: [UInt8]?
  /// Members that are not known here, as JSON with a comma before each.
  var otherMembers: [UInt8] = []
}

/// One row's write, by names: the reader's schema may differ from the writer's.
struct PackChange: Equatable {
  /// A column whose value is too large to stand in the pack.
  struct BigColumn: Equatable {
    var name: String
    var reference: BigReference
  }

  var time: HybridTime
  var table: String
  var key: [SQLValue]
  var operation: Change.Operation
  /// Sorted by the bytes of their names.
  var columns: [ColumnValue]
  /// The columns whose values lie under `blob/`, likewise; in none of `columns`.
  var bigColumns: [BigColumn] = []
}

extension PackTransaction {
  /// A local transaction as others will read it.
  ///
  /// - Parameters:
  ///   - number: As others number it.
  ///   - references: To its large values.
  init(_ local: LocalTransaction, number: Int64, _ references: [LargeValue: BigReference]) {
    self.init(
      number: number, time: local.changes.first?.stamp.time ?? HybridTime(rawValue: 0),
      changes: local.changes.map { PackChange($0) })
    for column in local.large {
      guard let reference = references[column.value] else { continue }
      changes[column.change].bigColumns.append(PackChange.BigColumn(name: column.name, reference: reference))
    }
    if local.large.isEmpty { return }
    for index in changes.indices where changes[index].bigColumns.count > 1 {
      changes[index].bigColumns.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
  }
}

extension PackChange {
  /// A local change, but for its large values.
  init(_ change: Change) {
    self.init(
      time: change.stamp.time, table: change.table, key: change.key, operation: change.operation,
      columns: change.columns.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
  }
}
