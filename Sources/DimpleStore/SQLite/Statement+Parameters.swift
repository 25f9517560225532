internal import CSQLite

/// Which value goes to which placeholder: https://sqlite.org/lang_expr.html#varparam
extension Statement {
  /// Binds the SQL's values, by position and by name.
  package func bindAll(_ sql: SQL) throws {
    if sql.namedBindings.isEmpty { try bindAll(sql.bindings) } else { try bindNamed(sql) }
  }

  /// Binds one value per placeholder, first to last.
  package func bindAll(_ values: [SQLValue]) throws {
    guard values.count == Int(parameterCount) else { throw wrongArgumentCount(values.count) }
    for index in values.indices { try bind(values[index], at: Int32(index) + 1) }
  }

  /// The names of the placeholders that have one, without the `:`, `@` or `$`.
  var parameterNames: Set<String> { Set(parameterIndexes.compactMap(parameterName)) }

  private var parameterIndexes: StrideThrough<Int32> { stride(from: 1, through: parameterCount, by: 1) }

  /// `nil` for `?` and `?5`, which have none.
  private func parameterName(_ index: Int32) -> String? {
    guard let name = sqlite3_bind_parameter_name(handle, index).map({ String(cString: $0) }), !name.hasPrefix("?")
    else { return nil }
    return String(name.dropFirst())
  }

  private func bindNamed(_ sql: SQL) throws {
    var rest = sql.bindings[...]
    var used: Set<String> = []
    for index in parameterIndexes {
      if let name = parameterName(index) {
        try bind(value(ofName: name, in: sql.namedBindings), at: index)
        used.insert(name)
      } else if let value = rest.popFirst() {
        try bind(value, at: index)
      } else {
        throw wrongArgumentCount(sql.bindings.count)
      }
    }
    guard rest.isEmpty else { throw wrongArgumentCount(sql.bindings.count) }
    if let stray = sql.namedBindings.first(where: { !used.contains($0.name) }) { throw noPlaceholder(stray.name) }
  }

  private func value(ofName name: String, in values: [NamedValue]) throws -> SQLValue {
    let found = values.filter { $0.name == name }
    guard let value = found.first?.value else {
      throw namesError(
        "The placeholder '\(name)' has no value.", hint: "Give it one under its name, without the colon.")
    }
    guard found.allSatisfy({ $0.value == value }) else {
      throw namesError(
        "The placeholder '\(name)' has several values.", hint: "Give it another name in one of the joined parts.")
    }
    return value
  }

  func noPlaceholder(_ name: String) -> StoreError {
    namesError("No placeholder is named '\(name)'.", hint: "Write :\(name) in the SQL, or leave the value out.")
  }

  private func namesError(_ message: String, hint: String) -> StoreError {
    StoreError(.wrongArgumentCount, operation: "bind", sql: sql, message: message, hint: hint)
  }

  func wrongArgumentCount(_ count: Int) -> StoreError {
    StoreError(
      .wrongArgumentCount, operation: "bind", sql: sql,
      message: "The statement has \(parameterCount) placeholders, and \(count) values were given.",
      hint: "Give one value for each '?'; in an SQL literal, interpolate it instead.")
  }
}
