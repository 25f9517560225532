internal import DimpleChangelog
internal import DimpleStore

/// Compares the tables with the merged state: which rows they show, and, with the changes of a pack at hand, which values.
///
/// The state keeps no value that the table shows, so values can be checked only against what was written: a table shows
/// that of the change whose stamp the state has.
struct RowCheck {
  let connection: Connection
  let schema: MergeSchema
  private let names: NameTable
  private let store: RowStore
  private let access: [TableAccess]
  /// Rows that the app wrote since the last merge: the state does not know it yet.
  private let fresh: Set<RowKey>
  private let awaited: Set<RowKey>

  /// - Parameter awaited: See ``AwaitedParents``.
  init(
    _ connection: Connection, _ schema: MergeSchema, _ changelog: Changelog, awaited: Set<RowKey> = []
  ) throws {
    self.awaited = awaited
    self.connection = connection
    self.schema = schema
    names = try NameTable(connection)
    store = try RowStore(connection)
    access = schema.tables.map { TableAccess($0, connection) }
    var fresh: Set<RowKey> = []
    let names = names
    try changelog.transactions(connection, after: SyncSetting.folded.integer(connection) ?? 0) { transaction in
      for change in transaction.changes {
        guard let table = names.number(ofTable: change.table) else { continue }
        fresh.insert(RowKey(table: table, key: KeyCodec.encode(change.key)))
      }
      return true
    }
    self.fresh = fresh
  }

  /// A row whose table shows something else than the state says.
  struct Difference {
    var key: RowKey
    var table: Int
    var keyValues: [SQLValue]
    /// What the state's registers should hold.
    var values: [(column: Int64, value: SQLValue)]
    var code = HealthFinding.Code.tableDiffers
    var message: String
  }

  // MARK: - Which rows

  /// Every row of the state, and every row of the tables.
  func checkPresence(_ report: inout HealthReport) throws -> [Difference] {
    var differences: [Difference] = []
    for (position, table) in schema.tables.enumerated() {
      let statement = try connection.prepare("SELECT key FROM dimple_row WHERE tbl = ? ORDER BY key")
      defer { statement.reset() }
      try statement.bind(.integer(table.id), at: 1)
      while try statement.step() {
        let key = RowKey(table: table.id, key: statement.bytes(0))
        report.checkedRows += 1
        do {
          if let difference = try presence(of: key, in: position) { differences.append(difference) }
        } catch let error as SyncError where error.code == .damagedState {
          report.add(HealthFinding(.damagedState, table.name, error.message, .restore))
        }
      }
      try checkStrangers(in: position, &report)
    }
    try checkDigest(&report)
    return differences
  }

  /// The digest is kept register by register; here it is summed up anew.
  private func checkDigest(_ report: inout HealthReport) throws {
    guard let stored = try DigestKeeper.stored(connection) else { return }
    let statement = try connection.prepare("SELECT DISTINCT tbl FROM dimple_row")
    defer { statement.reset() }
    var sum = StateDigest()
    let keeper = DigestKeeper()
    while try statement.step() {
      try store.forEach(in: statement.int64(0)) { sum += keeper.digest($0, $1.state, names) }
    }
    if sum != stored {
      report.add(
        HealthFinding(
          .damagedState, "the merged state",
          "Its digest is not the one that was kept. Rows of dimple_row were altered.",
          .restore))
    }
  }

  private func presence(of key: RowKey, in position: Int) throws -> Difference? {
    guard !fresh.contains(key), !awaited.contains(key), let entry = try store.load(key), entry.status != .undecided
    else { return nil }
    let keyValues = try KeyCodec.decode(key.key)
    guard keyValues.count == schema.tables[position].keyColumns.count else { return nil }
    let isShown = try access[position].read(keyValues) != nil
    let shouldBe =
      entry.status == .keptByReference || entry.status == .revived || (entry.state.isAlive && !entry.status.isHeld)
    if isShown == shouldBe { return nil }
    return Difference(
      key: key, table: position, keyValues: keyValues, values: [],
      message: shouldBe
        ? "The row lives, and its table does not show it." : "Its table shows a row that is not to be seen.")
  }

  /// Rows of a table of which the state knows nothing.
  private func checkStrangers(in position: Int, _ report: inout HealthReport) throws {
    let table = schema.tables[position]
    let columns = table.keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
    let statement = try connection.prepare("SELECT \(columns) FROM \(SQL.quoted(identifier: table.name))")
    defer { statement.reset() }
    while try statement.step() {
      let keyValues = (0..<table.keyColumns.count).map { statement.value(Int32($0)) }
      let key = RowKey(table: table.id, key: KeyCodec.encode(keyValues))
      if try fresh.contains(key) || store.load(key) != nil { continue }
      report.add(
        HealthFinding(
          .untrackedRow, Self.subject(table.name, keyValues),
          "No change ever made this row. Another program wrote it; delete and insert it to send it.", .byHand))
    }
  }

  // MARK: - Which values

  /// The rows of which a table shows another value than the change that the state goes by wrote.
  func differences(_ decoded: DecodedPack) throws -> [Difference] {
    var differences: [RowKey: Difference] = [:]
    try decoded.forEachTransaction { transaction in
      for change in transaction.changes where change.operation != .delete {
        let stamp = Stamp(time: change.time, replica: decoded.header.replica)
        guard let found = try difference(change, stamp) else { continue }
        differences[found.key]?.values += found.values
        if differences[found.key] == nil { differences[found.key] = found }
      }
      return true
    }
    return differences.values.sorted { $0.key < $1.key }
  }

  private func difference(_ change: PackChange, _ stamp: Stamp) throws -> Difference? {
    guard let id = names.number(ofTable: change.table), let position = schema.position(of: id) else { return nil }
    let key = RowKey(table: id, key: KeyCodec.encode(change.key))
    let isAwaited = awaited.contains(key)
    guard !fresh.contains(key), let entry = try store.load(key),
      isAwaited || entry.state.isAlive && !entry.status.isHeld,
      change.key.count == schema.tables[position].keyColumns.count
    else { return nil }
    let shown = try access[position].read(change.key)
    let table = schema.tables[position]
    var values: [(column: Int64, value: SQLValue)] = []
    var isDifferent = false
    for (offset, column) in table.columns.enumerated() {
      guard let cell = entry.state.cells[column.id], cell.stamp == stamp, cell.value == nil,
        // What was written in an earlier life is not shown.
        entry.state.counts(cell),
        let written = change.columns.first(where: { $0.name.hasSameBytes(as: column.name) })?.value
      else { continue }
      values.append((column.id, written))
      let current = shown.map { $0[table.keyColumns.count + offset] }
      // A NOT NULL column shows its default instead of NULL.
      if current != written, !(written == .null && column.isNotNull) { isDifferent = true }
    }
    guard isDifferent else { return nil }
    return Difference(
      key: key, table: position, keyValues: change.key, values: values,
      code: isAwaited ? .unknownValues : .tableDiffers,
      message: isAwaited
        ? Self.awaitedMessage
        : "Its table shows other values than were written.")
  }

  /// The awaited rows of which a snapshot has values that the state lacks.
  func differences(_ remembered: RememberedRows) throws -> [Difference] {
    try remembered.rows.compactMap { row in
      guard !fresh.contains(row.key), let position = schema.position(of: row.key.table),
        let state = try store.load(row.key)?.state
      else { return nil }
      let values = row.cells.compactMap { item -> (column: Int64, value: SQLValue)? in
        guard let own = state.cells[item.column], own.value == nil, own.stamp == item.stamp else { return nil }
        return (item.column, item.value)
      }
      if values.isEmpty { return nil }
      return Difference(
        key: row.key, table: position, keyValues: row.keyValues, values: values, code: .unknownValues,
        message: Self.awaitedMessage)
    }
  }

  private static let awaitedMessage =
    "A row refers to this deleted one, which cannot be shown here for want of its values."

  func finding(_ difference: Difference) -> HealthFinding {
    HealthFinding(
      difference.code, Self.subject(schema.tables[difference.table].name, difference.keyValues), difference.message,
      .repair
    )
  }

  static func subject(_ table: String, _ key: [SQLValue]) -> String {
    "\(table)(\(key.map { "\($0)" }.joined(separator: ", ")))"
  }
}
