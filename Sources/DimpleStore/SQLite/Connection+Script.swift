internal import CSQLite

extension Connection {
  /// Runs several statements, one after the other; rows that they return are passed over.
  ///
  /// Bound values go to the statements in order, each as many as it has placeholders without a name; named ones to all
  /// that name them.
  public func script(_ sql: SQL) throws {
    try checkUsable(operation: "script")
    var values = ScriptValues(sql)
    try sql.text.withCString { text in
      var position = text
      let end = text + sql.text.utf8.count
      while position < end {
        let (statement, next) = try compile(position, whole: sql.text, isPersistent: false)
        guard next > position else { break }
        position = next
        guard let statement else { continue }
        try statement.bindAll(values.next(for: statement))
        while try statement.step() {}
      }
    }
    try values.checkUsedUp()
  }
}

/// Deals a script's values out to its statements.
private struct ScriptValues {
  let sql: SQL
  var positional: ArraySlice<SQLValue>
  var usedNames: Set<String> = []

  init(_ sql: SQL) {
    self.sql = sql
    positional = sql.bindings[...]
  }

  mutating func next(for statement: Statement) throws -> SQL {
    let names = statement.parameterNames
    let count = Int(statement.parameterCount) - names.count
    guard positional.count >= count else { throw wrongCount }
    var values = SQL(raw: "", bindings: Array(positional.prefix(count)))
    positional.removeFirst(count)
    values.namedBindings = sql.namedBindings.filter { names.contains($0.name) }
    if let missing = names.first(where: { name in !values.namedBindings.contains { $0.name == name } }) {
      throw noValue(missing)
    }
    usedNames.formUnion(names)
    return values
  }

  func checkUsedUp() throws {
    guard positional.isEmpty else { throw wrongCount }
    if let stray = sql.namedBindings.first(where: { !usedNames.contains($0.name) }) { throw noPlaceholder(stray.name) }
  }

  private var wrongCount: StoreError {
    error("The script's placeholders and the \(sql.bindings.count) values given are not as many.")
  }

  private func noValue(_ name: String) -> StoreError { error("The placeholder '\(name)' has no value.") }

  private func noPlaceholder(_ name: String) -> StoreError { error("No placeholder is named '\(name)'.") }

  private func error(_ message: String) -> StoreError {
    StoreError(
      .wrongArgumentCount, operation: "script", sql: sql.text, message: message,
      hint: "Interpolate each value instead of writing '?', or give each named placeholder a value.")
  }
}
