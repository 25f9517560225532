extension Connection {
  /// The only row of a query, decoded.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try single(sql) { take in try forEach(type, sql) { take($0) } }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try single(sql) { take in try forEachRow(sql) { take(try T(row: $0)) } }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try single(sql) { take in try forEachRow(sql) { take(try T(row: $0)) } }
  }

  /// The only row of a query as a tuple.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> (A, B, repeat each Rest) {
    let rows = try query(type, sql)
    try checkSingle(rows.count, sql)
    return rows[0]
  }

  @usableFromInline func single<T>(_ sql: SQL, _ run: ((T) -> Bool) throws -> Void) throws -> T {
    var found: T?
    var count = 0
    try run { value in
      count += 1
      if count == 1 { found = value }
      return count < 2
    }
    try checkSingle(count, sql)
    return try found.orThrow(StoreError.noRow(sql))
  }

  @usableFromInline func checkSingle(_ count: Int, _ sql: SQL) throws {
    if count == 0 { throw StoreError.noRow(sql) }
    guard count > 1 else { return }
    throw StoreError(
      .tooManyRows, operation: "query", sql: sql.text, message: "The query has more than one row.",
      hint: "Narrow it down, or take the first with queryOne.")
  }

  /// Whether a query has a row.
  public func exists(_ sql: SQL) throws -> Bool {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    return try statement.step()
  }

  /// How many rows a query has. SQLite counts them; none is handed over.
  public func count(_ sql: SQL) throws -> Int {
    var counted = sql
    // A line of its own: the query may end in a comment.
    counted.text = "SELECT count(*) FROM (\(sql.text.trimmingEnd)\n)"
    return try querySingle(Int.self, counted)
  }

  /// How many rows an entity's table has.
  public func count<E: Entity>(_ type: E.Type) throws -> Int {
    try querySingle(Int.self, "SELECT count(*) FROM \(identifier: E.tableName)")
  }

  /// The different rows of a query, each decoded.
  public func querySet<T: Decodable & Hashable>(_ type: T.Type, _ sql: SQL) throws -> Set<T> {
    var result: Set<T> = []
    try forEach(type, sql) { value in
      result.insert(value)
      return true
    }
    return result
  }

  /// A query's rows by a property that tells them apart: `query(Todo.self, keyedBy: \.id, "SELECT * FROM Todo")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same.
  public func query<T: Decodable, Key: Hashable>(
    _ type: T.Type, keyedBy keyPath: KeyPath<T, Key>, _ sql: SQL
  ) throws -> [Key: T] {
    var result: [Key: T] = [:]
    try forEach(type, sql) { value in
      guard result.updateValue(value, forKey: value[keyPath: keyPath]) == nil else {
        throw StoreError.duplicateKey(sql)
      }
      return true
    }
    return result
  }

  /// A query's rows of two columns, as keys and values: `queryDictionary((String, Int).self, "SELECT name, age FROM Person")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same key.
  public func queryDictionary<Key: SQLConvertible & Hashable, Value: SQLConvertible>(
    _ type: (Key, Value).Type, _ sql: SQL
  ) throws -> [Key: Value] {
    var result: [Key: Value] = [:]
    try forEachRow(sql) { row in
      guard result.updateValue(try row[1], forKey: try row[0]) == nil else { throw StoreError.duplicateKey(sql) }
      return true
    }
    return result
  }
}

extension StoreError {
  @usableFromInline static func noRow(_ sql: SQL) -> StoreError {
    StoreError(
      .rowNotFound, operation: "query", sql: sql.text, message: "The query has no row.",
      hint: "Where there may be none, use queryOne.")
  }

  static func duplicateKey(_ sql: SQL) -> StoreError {
    StoreError(
      .duplicateKey, operation: "query", sql: sql.text, message: "Two rows have the same key.",
      hint: "Key by what is unique, or group the rows: Dictionary(grouping: rows, by: key).")
  }
}

extension String {
  /// Without the white space and semicolons at its end.
  fileprivate var trimmingEnd: Substring {
    var rest = self[...]
    while let last = rest.last, last == ";" || last.isWhitespace { rest.removeLast() }
    return rest
  }
}
