internal import CSQLite

/// A compiled statement. Confined to its connection; get one by ``Connection/prepare(_:)``.
///
/// Bind, ``step()`` until it returns false, read the columns in between. A statement that is left in the middle keeps its
/// read snapshot until ``reset()`` or the end of the transaction.
package final class Statement {
  /// The text, as it was given.
  package let sql: String
  /// The connection that compiled it.
  package let connection: Connection
  let effects: StatementEffects
  let parameterCount: Int32
  /// Whether it writes nothing to any database, as SQLite says it.
  let isReadOnly: Bool
  /// `nil` once the connection is closed.
  @exclusivity(unchecked) private(set) var handle: OpaquePointer?
  /// A value was bound since they were cleared.
  @exclusivity(unchecked) var hasBindings = false
  /// The connection's ``Connection/runNumber`` when it was first stepped; 0 if it is at the end, or was never stepped.
  @exclusivity(unchecked) private var runNumber: UInt64 = 0
  /// The number by which ``RunningStatement`` knows its last run.
  @exclusivity(unchecked) private var number: UInt64 = 0
  @exclusivity(unchecked) private var changesBefore: Int32 = 0
  @exclusivity(unchecked) private var recompilations: Int32 = 0
  @exclusivity(unchecked) private var cachedColumnNames: [String]?
  /// The column that was asked for by name last.
  @exclusivity(unchecked) private var lastPosition = -1
  private var namesAreUnique = false
  /// Decodes its rows; made when the first is.
  @exclusivity(unchecked) var decoder: RowDecoder?

  init(handle: OpaquePointer, sql: String, effects: StatementEffects, connection: Connection) {
    self.handle = handle
    self.sql = sql
    self.effects = effects
    self.connection = connection
    parameterCount = sqlite3_bind_parameter_count(handle)
    isReadOnly = sqlite3_stmt_readonly(handle) != 0
  }

  deinit { finalize() }

  /// Frees it for good; the connection is closing.
  func finalize() {
    if isRunning { connection.activeStatements -= 1 }
    runNumber = 0
    decoder?.letContainerGo()
    sqlite3_finalize(handle)
    handle = nil
  }

  /// Stepped, not yet at the end, and in the same transaction.
  var isRunning: Bool { runNumber == connection.runNumber }

  /// All others were reset, and this one was not.
  func stayRunning() { runNumber = connection.runNumber }

  /// Runs to the next row. True if there is one; false at the end, where the statement is reset and can run again.
  ///
  /// Throws ``StoreError``; the statement is then reset.
  package func step() throws -> Bool {
    let isFirst = !isRunning
    let result = isFirst ? try firstStep() : sqlite3_step(handle)
    if result == SQLITE_ROW { return true }
    try finish(result, isFirst: isFirst)
    return false
  }

  /// Back to before the first row. The bindings stay.
  package func reset() {
    guard isRunning else { return }
    sqlite3_reset(handle)
    ended()
  }

  /// Binds all values, runs to the end, and resets. Rows are passed over.
  package func run(_ values: SQLValue...) throws {
    try bindAll(values)
    while try step() {}
  }

  /// Checks, hooks, and the step in which SQLite may recompile the statement after a schema change.
  private func firstStep() throws -> Int32 {
    try connection.willRun(self)
    if changesSchemaForUser { try connection.schemaWillChange(self) }
    changesBefore = sqlite3_total_changes(connection.handle)
    let outer = connection.authorizer.effects
    connection.authorizer.effects = effects
    runNumber = connection.runNumber
    connection.activeStatements += 1
    let mayFail = effects.mayFail || connection.authorizer.hasTemporaryTriggers
    let (result, number) = connection.running.run(mayFail: mayFail) { sqlite3_step(handle) }
    self.number = number
    connection.authorizer.effects = outer
    // RETURNING gives its first row once all rows are written.
    if result == SQLITE_ROW, !isReadOnly { connection.pending.note(effects) }
    let recompilations = sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
    if recompilations != self.recompilations {
      self.recompilations = recompilations
      cachedColumnNames = nil
      decoder?.forgetPlans()
      // Asking SQLite for more would overwrite the message of an error.
      if result == SQLITE_ROW || result == SQLITE_DONE { try connection.completeEffects(of: self) }
    }
    return result
  }

  private var changesSchemaForUser: Bool { effects.changesSchema && !effects.isInternal }

  private func finish(_ result: Int32, isFirst: Bool) throws {
    guard result == SQLITE_DONE else {
      // Before the reset, which clears the message.
      let error = connection.error(result, operation: "step", sql: sql, statement: self)
      sqlite3_reset(handle)
      ended()
      if !isReadOnly { connection.writeDidFail(number: isFirst ? number : nil) }
      // What was made ready for the change must be undone.
      if changesSchemaForUser { try connection.schemaDidChange(self, byUser: true) }
      throw error
    }
    sqlite3_reset(handle)
    ended()
    if effects.changesSchema { try connection.schemaDidChange(self, byUser: changesSchemaForUser) }
  }

  /// Counts are known once SQLite has halted the statement.
  private func ended() {
    runNumber = 0
    connection.activeStatements -= 1
    if !isReadOnly, sqlite3_total_changes(connection.handle) != changesBefore { connection.pending.note(effects) }
  }

  /// The number of columns in a row; 0 for a statement that returns none.
  package var columnCount: Int32 { sqlite3_column_count(handle) }

  /// The names of all columns; a marker `prefix.*` prefixes those after it.
  package var columnNames: [String] {
    if let names = cachedColumnNames { return names }
    let names = ColumnScope.prefixed((0..<columnCount).map { ownColumnName($0) })
    cachedColumnNames = names
    namesAreUnique = Set(names).count == names.count
    return names
  }

  /// The name of a column, from 0.
  package func columnName(_ index: Int32) -> String {
    let names = columnNames
    return names.indices.contains(Int(index)) ? names[Int(index)] : ""
  }

  /// Where the column of a name stands; case counts only where it must. Of columns with the same name, the first counts.
  ///
  /// Asked in the order of the columns, as rows mostly are, it is found at once.
  func position(ofColumn name: String) -> Int? {
    let names = columnNames
    let next = lastPosition + 1 < names.count ? lastPosition + 1 : 0
    if namesAreUnique, next < names.count, names[next] == name {
      lastPosition = next
      return next
    }
    let found = names.firstIndex(of: name) ?? positionIgnoringCase(name, names)
    if let found { lastPosition = found }
    return found
  }

  private func positionIgnoringCase(_ name: String, _ names: [String]) -> Int? {
    let lowercased = name.lowercased()
    return names.firstIndex { $0.lowercased() == lowercased }
  }

  private func ownColumnName(_ index: Int32) -> String {
    sqlite3_column_name(handle, index).map { String(cString: $0) } ?? ""
  }
}
