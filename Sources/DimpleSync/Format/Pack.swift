internal import DimpleChangelog
internal import DimpleStore

/// An immutable run of one replica's transactions, as one object of the bucket holds it. docs/FORMAT.md has the bytes.
struct Pack: Equatable {
  var header: PackHeader
  /// Numbered `header.first` to `header.last` without gaps.
  var transactions: [PackTransaction]
}

/// The first line of a pack.
struct PackHeader: Equatable {
  /// The version that this library writes; it reads this one and older ones.
  static let currentFormat: Int64 = 1

  var format = Self.currentFormat
  /// `Vault.id` of the vault it was written to.
  var vault: String
  var replica: ReplicaID
  /// Transaction numbers, inclusive.
  var range: ClosedRange<Int64>
  var chain: PackChain
  /// What the author had merged of every other replica when it wrote this.
  var vector: [ReplicaID: RangeSet64]
  /// The author's public key.
  var publicKey: [UInt8]
  /// Over the header's bytes without this member.
  var signature: [UInt8] = []
}

/// The hash chain of a replica's log just before a pack's first and just after its last transaction.
struct PackChain: Equatable {
  var before: [UInt8]
  var after: [UInt8]
}

/// One local commit of some replica.
struct PackTransaction: Equatable {
  var number: Int64
  var changes: [PackChange]

  /// When its first change was made.
  var time: HybridTime { changes.first?.time ?? HybridTime(rawValue: 0) }
}

/// One row's write, by names: the reader's schema may differ from the writer's.
struct PackChange: Equatable {
  var time: HybridTime
  var table: String
  var key: [SQLValue]
  var operation: Change.Operation
  /// Sorted by the bytes of their names.
  var columns: [ColumnValue]
}

extension PackTransaction {
  /// A local transaction as others will read it.
  init(number: Int64, changes: [Change]) {
    self.number = number
    self.changes = changes.map { change in
      PackChange(
        time: change.stamp.time, table: change.table, key: change.key, operation: change.operation,
        columns: change.columns.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    }
  }
}
