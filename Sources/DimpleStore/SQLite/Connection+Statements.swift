internal import CSQLite

extension Connection {
  /// A compiled statement for the text, from the cache if it is there: reset, with no values bound.
  ///
  /// The text is exactly one statement. Throws ``StoreError``: `sqlError`, `multipleStatements`, `notAllowed` …
  package func prepare(_ sql: String) throws -> Statement {
    try checkUsable(operation: "prepare")
    let isInternal = authorizer.internalDepth > 0
    if let cached = isInternal ? internalStatements.take(sql) : userStatements.take(sql) {
      cached.endUse()
      return cached
    }
    let statement = try compileSingle(sql)
    // A schema change is a one-off, and holding it would keep nothing useful.
    guard !statement.effects.changesSchema else { return statement }
    if isInternal { internalStatements.insert(statement) } else { userStatements.insert(statement) }
    return statement
  }

  /// As ``prepare(_:)``: a literal is known by where its parts lie.
  package func prepare(_ sql: SQL) throws -> Statement {
    guard sql.storage.isLiteral else { return try prepare(sql.text) }
    try checkUsable(operation: "prepare")
    let parts = sql.storage.parts
    let isInternal = authorizer.internalDepth > 0
    if let cached = isInternal ? internalStatements.take(literal: parts) : userStatements.take(literal: parts) {
      cached.endUse()
      return cached
    }
    let text = sql.text
    let statement = try prepare(text)
    if isInternal {
      internalStatements.remember(literal: parts, as: text)
    } else {
      userStatements.remember(literal: parts, as: text)
    }
    return statement
  }

  /// The columns that a query reads, seen through views and subqueries.
  package func readSet(of sql: SQL) throws -> ReadSet {
    ReadSet(tables: try prepare(sql).effects.reads)
  }

  /// Runs the body with access to the store's own tables; schema changes made in it are not reported to extensions.
  package func withInternalAccess<T>(_ body: () throws -> T) rethrows -> T {
    authorizer.internalDepth += 1
    defer { authorizer.internalDepth -= 1 }
    return try body()
  }

  private func compileSingle(_ sql: String) throws -> Statement {
    try sql.withCString { start in
      let (statement, tail) = try compile(start, whole: sql, isPersistent: true)
      guard let statement else {
        throw StoreError(
          .multipleStatements, operation: "prepare", sql: sql, message: "There is no statement in the text.")
      }
      guard try isBlank(tail, end: start + sql.utf8.count) else {
        throw StoreError(
          .multipleStatements, operation: "prepare", sql: sql,
          message: "There is more text after the first statement.",
          hint: "Use connection.script for several statements.")
      }
      return statement
    }
  }

  /// Compiles the first statement of a text; `nil` if there are only comments. Also returns where it ends.
  func compile(
    _ start: UnsafePointer<CChar>, whole: String, isPersistent: Bool
  ) throws -> (Statement?, UnsafePointer<CChar>) {
    let effects = StatementEffects(isInternal: authorizer.internalDepth > 0)
    let outer = authorizer.effects
    authorizer.effects = effects
    authorizer.refusal = nil
    var handle: OpaquePointer?
    var tail: UnsafePointer<CChar>? = nil
    let flags = isPersistent ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
    let result = withExtendedLifetime(effects) {
      sqlite3_prepare_v3(self.handle, start, -1, flags, &handle, &tail)
    }
    authorizer.effects = outer
    // Of a function that was refused, SQLite tells as of any error.
    guard result == SQLITE_OK else {
      throw error(authorizer.refusal == nil ? result : SQLITE_AUTH, operation: "prepare", sql: whole)
    }
    let end = tail ?? start
    guard let handle else { return (nil, end) }
    let statement = Statement(handle: handle, sql: whole, effects: effects, connection: self)
    effects.mayFail = !statement.isReadOnly && whole.hasWord("fail")
    try completeEffects(of: statement)
    return (statement, end)
  }

  /// Whether only white space, semicolons and comments are left.
  private func isBlank(_ start: UnsafePointer<CChar>, end: UnsafePointer<CChar>) throws -> Bool {
    var position = start
    while position < end {
      let byte = UInt8(bitPattern: position.pointee)
      guard byte == UInt8(ascii: ";") || byte == 0x20 || (0x09...0x0D).contains(byte) else { break }
      position += 1
    }
    if position == end { return true }
    // SQLite's own tokenizer knows comments best: it compiles them to nothing. A NUL, it takes for the end.
    guard position.pointee != 0,
      position.pointee == CChar(UInt8(ascii: "-")) || position.pointee == CChar(UInt8(ascii: "/"))
    else { return false }
    var handle: OpaquePointer?
    var tail: UnsafePointer<CChar>?
    let result = sqlite3_prepare_v3(self.handle, position, -1, 0, &handle, &tail)
    sqlite3_finalize(handle)
    return result == SQLITE_OK && handle == nil && tail == end
  }

  /// Adds to what the authorizer told what it does not tell: columns generated from those updated, and the rows that
  /// a conflict resolution by REPLACE removes.
  func completeEffects(of statement: Statement) throws {
    let effects = statement.effects
    let updated = effects.writes.filter { !$0.value.updatedColumns.isEmpty }.keys
    guard !updated.isEmpty else { return }
    var canReplace = statement.sql.containsIgnoringCase("replace")
    for table in updated {
      let facts = try updateFacts(of: table)
      effects.writes[table]?.updatedColumns.formUnion(facts.generatedColumns)
      canReplace = canReplace || facts.canReplace
    }
    if canReplace { effects.countUpdatesAsRowChanges() }
  }

  private func updateFacts(of table: String) throws -> (generatedColumns: [String], canReplace: Bool) {
    // `hidden` is 2 and 3 for generated columns: https://sqlite.org/pragma.html#pragma_table_xinfo
    try withInternalAccess {
      var generated: [String] = []
      let columns = try prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)")
      try columns.bind(text: table, at: 1)
      while try columns.step() { generated.append(columns.text(0)) }
      let definition = try prepare(
        "SELECT sql LIKE '%replace%' FROM main.sqlite_schema WHERE name = ? AND type = 'table'")
      try definition.bind(text: table, at: 1)
      var canReplace = false
      while try definition.step() { canReplace = canReplace || definition.int64(0) != 0 }
      return (generated, canReplace)
    }
  }

  /// Tells the extensions that a statement is about to change the schema.
  func schemaWillChange(_ statement: Statement) throws {
    schemaTargets = SchemaTargets(
      altered: statement.effects.alteredTables, dropped: statement.effects.droppedTables)
    try withInternalAccess { for observer in configuration.extensions { try observer.willChangeSchema(self) } }
  }

  /// Notes a schema change for the commit's event, and tells the extensions if it was not their own.
  func schemaDidChange(_ statement: Statement, byUser: Bool) throws {
    pending.noteSchemaChange(statement.effects)
    guard byUser else { return }
    try withInternalAccess { for observer in configuration.extensions { try observer.didChangeSchema(self) } }
  }
}

extension String {
  /// Whether the ASCII word occurs, in any case, and not as a part of a longer one.
  package func hasWord(_ lowercased: String) -> Bool {
    func isPartOfWord(_ byte: UInt8) -> Bool {
      byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    var position = 0
    var isInside = false
    // How far the word at hand is the one looked for; beyond its end where it is another.
    let needle = Array(lowercased.utf8)
    for byte in utf8 {
      if isPartOfWord(byte) {
        if !isInside { position = 0 }
        isInside = true
        position = position < needle.count && needle[position] == byte | 0x20 ? position + 1 : needle.count + 1
      } else {
        if isInside, position == needle.count { return true }
        isInside = false
      }
    }
    return isInside && position == needle.count
  }

  /// Whether the ASCII text occurs, in any case.
  fileprivate func containsIgnoringCase(_ lowercased: String) -> Bool {
    let needle = Array(lowercased.utf8)
    let bytes = Array(utf8)
    guard bytes.count >= needle.count else { return false }
    return (0...(bytes.count - needle.count)).contains { start in
      needle.indices.allSatisfy { bytes[start + $0] | 0x20 == needle[$0] }
    }
  }
}
