internal import DimpleChangelog
internal import DimpleStore

/// Takes packed changes into the merged state and the tables, row by row in the order of their keys: one read of the state at
/// most, one write of it, one write of the table.
///
/// It does what ``MergeSession`` would do with a row that stands in nobody's way and needs nobody: it tries, and SQLite says
/// whether a constraint objects. Every other row is left as it was, for the session's passes. They come afterwards, look at
/// what the tables then show, and decide as if they had seen all rows.
///
/// Confined to one merge transaction of one connection, in which triggers and foreign keys are off.
final class RowMerger {
  /// A row that needs the passes, with its changes.
  struct Left {
    var key: RowKey
    var entries: ArraySlice<ChangeBatch.Entry>
  }

  let session: MergeSession
  let connection: Connection
  let digest: DigestKeeper
  private(set) var replicas: PackedReplicas
  private var tables: [Int64: PackedTable] = [:]
  /// Where what becomes of the tables is written down; `nil` for the app's own changes, which the tables show already.
  let recorder: MergeRecorder?
  let conflicts: ConflictLog?
  /// Tables or columns have come or gone: what waited for them is the passes' to look at.
  let schemaChanged: Bool
  /// Rows that the app wrote to, and that their tables do not show as the state has them.
  @exclusivity(unchecked) var undecided: [RowKey] = []
  /// Rows whose tables now show something else.
  @exclusivity(unchecked) var changedRows = 0

  @exclusivity(unchecked) var row = PackedRow()
  /// The row's state as it is to be.
  @exclusivity(unchecked) var state = PackedWriter()
  @exclusivity(unchecked) var written: [Int] = []
  /// Rows that are most likely new, with their states.
  @exclusivity(unchecked) var gathered: [Gathered] = []
  let states: StateWrites
  /// The new states of rows seen before.
  private let updates: StateWrites
  let reader: StateReader
  /// A key that will be asked for some rows later, or the last one.
  @exclusivity(unchecked) private var ahead = UnsafeRawBufferPointer(start: nil, count: 0)
  private let insertion: Statement
  private let deletion: Statement

  init(
    _ session: MergeSession, schemaChanged: Bool, _ recorder: MergeRecorder?, _ conflicts: ConflictLog?
  ) throws {
    self.session = session
    connection = session.connection
    digest = session.store.digest
    replicas = PackedReplicas(session.store.replicas)
    self.schemaChanged = schemaChanged
    self.recorder = recorder
    self.conflicts = conflicts
    states = try StateWrites(.insert, connection, batchSize: session.schema.rowsPerStatement)
    updates = try StateWrites(.replace, connection, batchSize: session.schema.rowsPerStatement)
    reader = try StateReader(connection)
    insertion = try connection.prepare(
      "INSERT INTO dimple_row(tbl, key, state, status) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
    deletion = try connection.prepare("DELETE FROM dimple_row WHERE tbl = ? AND key = ?")
  }

  /// Merges foreign changes, or folds the app's own, as far as no row needs another.
  ///
  /// - Returns: The rows that need the passes; of the app's own none do.
  func merge(_ batch: ChangeBatch) throws -> [Left] {
    var left: [Left] = []
    replicas = PackedReplicas(session.store.replicas)
    let schema = session.schema
    // Parents before their children, so that most references are answered when they come.
    for id in batch.tableIDs.sorted(by: { (schema.rank(of: $0), $0) < (schema.rank(of: $1), $1) }) {
      let table = try table(id)
      let entries = batch.sortedEntries(of: id)
      var waiting = try merge(batch.rows(of: entries), entries, table, batch)
      // A row may refer to one behind it. Long chains are for the passes, which have a queue.
      var mayHelp = table.refersToItself
      while mayHelp, !waiting.isEmpty {
        let again = try merge(waiting, entries, table, batch)
        mayHelp = again.count <= waiting.count / 2
        waiting = again
      }
      for range in waiting {
        let key = RowKey(table: id, key: [UInt8](batch.key(of: entries[range.lowerBound])))
        left.append(Left(key: key, entries: entries[range]))
      }
    }
    return left
  }

  private func table(_ id: Int64) throws -> PackedTable {
    if let table = tables[id] { return table }
    let table = try PackedTable(
      id, session.schema, { digest.hash($0, session.names) }, recorder, connection)
    tables[id] = table
    return table
  }

  private func merge(
    _ rows: [Range<Int>], _ entries: [ChangeBatch.Entry], _ table: PackedTable, _ batch: ChangeBatch
  ) throws -> [Range<Int>] {
    var left: [Range<Int>] = []
    reader.restart()
    for (index, range) in rows.enumerated() {
      let change = PackedRowChange(entries: entries[range], batch: batch)
      ahead = batch.key(of: entries[rows[min(index + StateReader.reach, rows.count) - 1].lowerBound])
      if try gather(change, range, into: table) {
        if states.isFull { left += try insertGathered(entries, table, batch) }
      } else if try !merge(change, of: table) {
        left.append(range)
      }
    }
    try left += insertGathered(entries, table, batch)
    try updates.flush()
    return left
  }

  /// - Returns: `false` for a row that is left for the passes, as it was.
  func merge(_ change: PackedRowChange, of table: PackedTable) throws -> Bool {
    try recorder == nil ? fold(change, into: table) : merge(change, into: table)
  }

  // MARK: - The state

  /// Reads the row's state into ``row``; `nil` for a row never seen.
  func load(_ key: UnsafeRawBufferPointer, of table: PackedTable) throws -> RowStatus? {
    var status: RowStatus?
    let isKnown = try reader.read(key, of: table.id, ahead: ahead) { state, number in
      status = RowStatus(rawValue: number)
      try row.decode(state, replicas)
    }
    guard isKnown else { return nil }
    guard let status else { throw RowStateCodec.damaged() }
    return status
  }

  /// Writes ``state`` for a row never seen; `false` if there is one.
  func insertState(_ key: UnsafeRawBufferPointer, of table: PackedTable, _ status: RowStatus) throws -> Bool {
    try insertion.bind(int64: table.id, at: 1)
    try insertion.bind(borrowedBlob: key, at: 2)
    try insertion.bind(borrowedBlob: state.bytes, at: 3)
    try insertion.bind(int64: status.rawValue, at: 4)
    let before = connection.totalChanges
    _ = try insertion.step()
    return connection.totalChanges != before
  }

  func updateState(_ key: UnsafeRawBufferPointer, of table: PackedTable, _ status: RowStatus) throws {
    updates.append(table: table.id, key: key, state: state.bytes, status: status)
    if updates.isFull { try updates.flush() }
  }

  func deleteState(_ key: UnsafeRawBufferPointer, of table: PackedTable) throws {
    try deletion.bind(int64: table.id, at: 1)
    try deletion.bind(borrowedBlob: key, at: 2)
    _ = try deletion.step()
  }

  /// Encodes ``row`` into ``state``.
  ///
  /// - Parameter table: Values of its columns are left to it; `nil` keeps all values.
  /// - Returns: Whether there are registers of columns that the table does not have.
  func encode(leavingValuesTo table: PackedTable?) -> Bool {
    state.removeAll()
    var hasUnknownColumns = false
    row.encode(to: &state) { register in
      guard let table else { return true }
      let isUnknown = table.column(register.column).position < 0
      if isUnknown { hasUnknownColumns = true }
      return isUnknown
    }
    return hasUnknownColumns
  }

  // MARK: - The digest

  /// What the whole of ``row`` adds to the digest.
  func digestOfRow(_ key: UnsafeRawBufferPointer, of table: PackedTable) -> StateDigest {
    let hash = table.hash.hashing(key)
    var sum = StateDigest()
    if let inserted = row.inserted, !inserted.isOldest { sum += hash.digest(of: .inserted, stamp: inserted.hash) }
    if let deleted = row.deleted { sum += hash.digest(of: .deleted, stamp: deleted.hash) }
    var last = row.inserted
    var lastHash = last?.hash ?? 0
    for index in row.registers.indices {
      let register = row.registers[index]
      if register.stamp != last { (last, lastHash) = (register.stamp, register.stamp.hash) }
      if register.stamp.isOldest { continue }
      sum += hash.digest(of: columnHash(register.column, table), stamp: lastHash)
    }
    return sum
  }

  /// What the new registers of ``row`` change in the digest, and its life.
  func digestOfChanges(
    _ key: UnsafeRawBufferPointer, of table: PackedTable, inserted: PackedStamp?, deleted: PackedStamp?
  ) -> StateDigest {
    let hash = table.hash.hashing(key)
    var sum = StateDigest()
    func replace(_ register: RegisterHash, _ old: PackedStamp?, _ new: PackedStamp?) {
      if old == new { return }
      if let old, !old.isOldest { sum -= hash.digest(of: register, stamp: old.hash) }
      if let new, !new.isOldest { sum += hash.digest(of: register, stamp: new.hash) }
    }
    replace(.inserted, inserted, row.inserted)
    replace(.deleted, deleted, row.deleted)
    for index in row.registers.indices where row.registers[index].isNew {
      let register = row.registers[index]
      replace(columnHash(register.column, table), register.previous, register.stamp)
    }
    return sum
  }

  private func columnHash(_ column: Int64, _ table: PackedTable) -> RegisterHash {
    let known = table.column(column)
    return known.position >= 0 ? known.hash : digest.hash(column, session.names)
  }
}

/// All changes of one row.
struct PackedRowChange {
  let entries: ArraySlice<ChangeBatch.Entry>
  let batch: ChangeBatch

  var key: UnsafeRawBufferPointer { batch.key(of: entries[entries.startIndex]) }

  var hasInsert: Bool { entries.contains { $0.operation == .insert } }
}
