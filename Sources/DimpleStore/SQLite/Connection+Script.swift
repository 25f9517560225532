internal import CSQLite

extension Connection {
  /// Runs several statements, one after the other; rows that they return are passed over.
  ///
  /// Bound values go to the statements in order, each as many as it has placeholders.
  public func script(_ sql: SQL) throws {
    try checkUsable(operation: "script")
    var bindings = sql.bindings[...]
    try sql.text.withCString { text in
      var position = text
      let end = text + sql.text.utf8.count
      while position < end {
        let (statement, next) = try compile(position, whole: sql.text, isPersistent: false)
        guard next > position else { break }
        position = next
        guard let statement else { continue }
        let count = Int(statement.parameterCount)
        guard bindings.count >= count else { throw Self.bindingCountError(sql) }
        try statement.bindAll(Array(bindings.prefix(count)))
        bindings.removeFirst(count)
        while try statement.step() {}
      }
    }
    guard bindings.isEmpty else { throw Self.bindingCountError(sql) }
  }

  private static func bindingCountError(_ sql: SQL) -> StoreError {
    StoreError(
      .wrongArgumentCount, operation: "script", sql: sql.text,
      message: "The script's placeholders and the \(sql.bindings.count) values given are not as many.",
      hint: "Interpolate each value instead of writing '?'.")
  }
}
