internal import DimpleChangelog
internal import DimpleStore

/// Gives own changes that are in the merged state already other stamps. The order of stamps stays, and with it what the
/// tables show.
struct StateRestamp {
  private static let batchSize = 20_000

  let connection: Connection
  let changelog: Changelog

  /// - Parameters:
  ///   - transaction: Only changes of later local transactions.
  ///   - stamps: What a change of the log was stamped in the state, and what it is to be.
  func run(
    after transaction: Int64, _ stamps: (_ transaction: Int64, _ logged: Stamp) -> (old: Stamp, new: Stamp)
  ) throws {
    let folded = try SyncSetting.folded.integer(connection) ?? 0
    guard folded > transaction else { return }
    var names = try NameTable(connection)
    var store = try RowStore(connection)
    var batch: [RowKey: [Stamp: Stamp]] = [:]
    var size = 0
    try changelog.transactions(connection, after: transaction, naming: .asOfCommit) { local in
      guard local.number <= folded else { return false }
      for change in local.changes {
        let row = RowKey(table: try names.table(change.table, connection), key: KeyCodec.encode(change.key))
        let (old, new) = stamps(local.number, change.stamp)
        batch[row, default: [:]][old] = new
        size += 1
      }
      if size >= Self.batchSize {
        try apply(batch, &store, names)
        batch = [:]
        size = 0
      }
      return true
    }
    try apply(batch, &store, names)
    try store.digest.save(connection)
  }

  private func apply(_ batch: [RowKey: [Stamp: Stamp]], _ store: inout RowStore, _ names: NameTable) throws {
    for (key, stamps) in batch.sorted(by: { $0.key < $1.key }) {
      guard let entry = try store.load(key) else { continue }
      var state = entry.state
      state.mapStamps { stamps[$0] ?? $0 }
      if state != entry.state { try store.save(key, state, entry.status, names) }
    }
  }
}
