/// A statement compiled once, to be run many times with different values.
///
/// ```swift
/// try db.write { connection in
///   let insert = try connection.prepared("INSERT INTO Point (x, y) VALUES (?, ?)")
///   for point in points { try insert.execute(point.x, point.y) }
/// }
/// ```
///
/// The fastest way to write many rows: nothing is parsed, looked up or collected for each. Statements run by their SQL are
/// compiled once, too, and are looked up each time.
///
/// Confined to the closure that its connection was given to; used after it, it throws `outsideClosure`.
public struct PreparedStatement {
  @usableFromInline let statement: StatementBox

  init(_ statement: Statement) { self.statement = StatementBox(statement) }

  /// The SQL, as it was given.
  public var sql: String { statement.base.sql }

  /// How many values it takes.
  public var parameterCount: Int { Int(statement.base.parameterCount) }

  /// Runs it to its end with these values for its placeholders, first to last.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted itself; 0 for other statements.
  /// - Throws: ``StoreError``: `wrongArgumentCount` for more or fewer values than placeholders, a constraint, …
  @inlinable
  @discardableResult
  public func execute<each Value: SQLConvertible>(_ values: repeat each Value) throws -> Int {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    return try statement.run()
  }

  /// All rows with these values for its placeholders, each decoded as ``Connection/query(_:_:)`` does.
  @inlinable
  public func query<T: Decodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> [T] {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    var result: [T] = []
    try statement.handOver(type) { value in
      result.append(value)
      return true
    }
    return result
  }

  /// The first row with these values for its placeholders, decoded; `nil` if there is none.
  @inlinable
  public func queryOne<T: Decodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> T? {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    var result: T?
    try statement.handOver(type) { value in
      result = value
      return false
    }
    return result
  }

  /// All rows with these values for its placeholders, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> [T] {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    return try statement.rows(type)
  }

  /// The first row with these values for its placeholders, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> T? {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    return try statement.firstRow(type)
  }

  /// A type that can be made both ways is made from the row.
  @inlinable
  public func query<T: RowDecodable & Decodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> [T] {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    return try statement.rows(type)
  }

  /// A type that can be made both ways is made from the row.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable, each Value: SQLConvertible>(
    _ type: T.Type, _ values: repeat each Value
  ) throws -> T? {
    var parameters = try begin(repeat (each Value).self)
    _ = (repeat try (each values).bind(to: parameters.next()))
    return try statement.firstRow(type)
  }

  /// Runs it to its end with values for its placeholders by name, without the `:`.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted itself; 0 for other statements.
  @discardableResult
  public func execute(named values: [String: any SQLConvertible]) throws -> Int {
    try statement.bind(named: values)
    return try statement.run()
  }

  /// All rows with values for its placeholders by name, without the `:`, each decoded.
  public func query<T: Decodable>(_ type: T.Type, named values: [String: any SQLConvertible]) throws -> [T] {
    try statement.bind(named: values)
    var result: [T] = []
    try statement.handOver(type) { value in
      result.append(value)
      return true
    }
    return result
  }

  /// Ready for values of these types, which each caller binds by itself: handed on, each would be copied.
  @inlinable
  func begin<each Value: SQLConvertible>(_ types: repeat (each Value).Type) throws -> StatementParameters {
    var count: Int32 = 0
    for _ in repeat each types { count += 1 }
    try statement.begin(count: count)
    return StatementParameters(statement)
  }
}

/// The places of a statement's values, first to last.
@usableFromInline struct StatementParameters {
  @usableFromInline let statement: StatementBox
  @usableFromInline var index: Int32 = 0

  @inlinable
  init(_ statement: StatementBox) { self.statement = statement }

  @inlinable
  mutating func next() -> StatementParameter {
    index += 1
    return StatementParameter(statement: statement, index: index)
  }
}

extension PreparedStatement: CustomStringConvertible {
  /// The SQL; values are left out.
  public var description: String { sql }
}

/// The place of one value in a statement that is about to run.
///
/// What ``SQLConvertible/bind(to:)`` is given: a type that holds an integer, a real or a text hands it over as it is.
public struct StatementParameter {
  @usableFromInline let statement: StatementBox
  @usableFromInline let index: Int32

  @inlinable
  init(statement: StatementBox, index: Int32) {
    self.statement = statement
    self.index = index
  }

  /// Binds an integer.
  public func bind(_ value: Int64) throws { try statement.base.bind(int64: value, at: index) }

  /// Binds a real; NaN, which SQLite has not, is a `typeMismatch`.
  public func bind(_ value: Double) throws { try statement.base.bind(double: value, at: index) }

  /// Binds text, with the NUL characters it may hold.
  public func bind(_ value: String) throws { try statement.base.bind(text: value, at: index) }

  /// Binds any value.
  public func bind(_ value: SQLValue) throws { try statement.base.bind(value, at: index) }

  /// Binds `NULL`.
  public func bindNull() throws { try statement.base.bindNull(at: index) }
}

/// Keeps the statement itself out of what callers' modules see.
@usableFromInline final class StatementBox {
  let base: Statement

  init(_ base: Statement) { self.base = base }

  /// Values are bound to a statement at its beginning.
  @usableFromInline func begin(count: Int32) throws {
    try base.connection.checkUsable(operation: "bind")
    guard count == base.parameterCount else { throw base.wrongArgumentCount(Int(count)) }
    base.reset()
  }

  func bind(named values: [String: any SQLConvertible]) throws {
    try base.connection.checkUsable(operation: "bind")
    base.reset()
    try base.bindAll(SQL(raw: base.sql, named: values))
  }

  /// The number of rows it changed itself.
  @usableFromInline func run() throws -> Int {
    let connection = base.connection
    let before = connection.totalChanges
    while try base.step() {}
    return connection.totalChanges == before ? 0 : connection.changeCount
  }

  @inlinable func rows<T: RowDecodable>(_ type: T.Type) throws -> [T] {
    var result: [T] = []
    try forEachRow { row in
      result.append(try T(row: row))
      return true
    }
    return result
  }

  @inlinable func firstRow<T: RowDecodable>(_ type: T.Type) throws -> T? {
    var result: T?
    try forEachRow { row in
      result = try T(row: row)
      return false
    }
    return result
  }

  @usableFromInline func forEachRow(_ body: (borrowing RowReader) throws -> Bool) throws {
    defer { base.reset() }
    try base.forEachRow(body)
  }

  @usableFromInline func handOver<T: Decodable>(_ type: T.Type, _ body: (consuming T) throws -> Bool) throws {
    defer { base.reset() }
    try base.handOver(type, body)
  }
}

extension Connection {
  /// Compiles one statement with `?` for its values, to be run many times.
  ///
  /// - Throws: ``StoreError``: `sqlError`, `multipleStatements`, `notAllowed`; `wrongArgumentCount` if the text holds
  ///   interpolated values, which are given when it is run.
  public func prepared(_ sql: SQL) throws -> PreparedStatement {
    guard sql.bindings.isEmpty, sql.namedBindings.isEmpty else {
      throw StoreError(
        .wrongArgumentCount, operation: "prepare", sql: sql.text,
        message: "A prepared statement takes its values when it is run.",
        hint: "Write ? in place of each interpolated value.")
    }
    return PreparedStatement(try prepare(sql))
  }
}
