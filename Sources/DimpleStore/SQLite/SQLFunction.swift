internal import CSQLite

/// A function in Swift that SQL calls by its name; see ``Configuration/functions``.
///
/// ```swift
/// configuration.functions = [SQLFunction("shout", argumentCount: 1) { arguments in
///   try .text(String(sqlValue: arguments[0]).uppercased())
/// }]
/// ```
public struct SQLFunction: Sendable {
  /// Its name in SQL. One of SQLite's own of the same name and argument count is replaced.
  public let name: String
  /// How many arguments it takes; any number if `nil`.
  public let argumentCount: Int?
  /// The same arguments always give the same result: SQLite may call it less often, and indexes may use it.
  public let isDeterministic: Bool
  let body: @Sendable ([SQLValue]) throws -> SQLValue

  /// A function of at most 127 arguments.
  ///
  /// The body runs on the thread of the statement and must not use the database. What it throws makes the statement fail
  /// with code `functionFailed`, and is the error's `underlying`.
  public init(
    _ name: String, argumentCount: Int? = nil, deterministic: Bool = true,
    _ body: @escaping @Sendable ([SQLValue]) throws -> SQLValue
  ) {
    self.name = name
    self.argumentCount = argumentCount
    isDeterministic = deterministic
    self.body = body
  }
}

/// A collating sequence in Swift, an order of texts for `ORDER BY`, `=` and indexes; see ``Configuration/collations``.
public struct SQLCollation: Sendable {
  /// Its name in SQL: `text TEXT COLLATE name`.
  public let name: String
  let isLess: @Sendable (String, String) -> Bool

  /// An order, told by whether the first comes before the second; texts of which neither does are equal.
  ///
  /// It must be a strict weak order and never change once an index uses it, or the index is damaged. A program that does
  /// not register it cannot use those tables.
  public init(_ name: String, isLess: @escaping @Sendable (_ left: String, _ right: String) -> Bool) {
    self.name = name
    self.isLess = isLess
  }

  fileprivate final class Box {
    let collation: SQLCollation
    init(_ collation: SQLCollation) { self.collation = collation }
  }
}

extension Connection {
  /// Registers what the configuration brings from Swift.
  func registerCallables() throws {
    for function in configuration.functions {
      let body = function.body
      let count = Int32(clamping: function.argumentCount ?? -1)
      try createFunction(function.name, argumentCount: count, deterministic: function.isDeterministic) { call in
        call.setResult(try body((0..<call.argumentCount).map { call.value($0) }))
      }
    }
    for aggregate in configuration.aggregates { try register(aggregate) }
    for collation in configuration.collations { try register(collation) }
  }

  private func register(_ collation: SQLCollation) throws {
    let box = Unmanaged.passRetained(SQLCollation.Box(collation))
    let result = sqlite3_create_collation_v2(
      handle, collation.name, SQLITE_UTF8, box.toOpaque(),
      { context, leftCount, left, rightCount, right in
        guard let context else { return 0 }
        let isLess = Unmanaged<SQLCollation.Box>.fromOpaque(context).takeUnretainedValue().collation.isLess
        let first = String(decoding: UnsafeRawBufferPointer(start: left, count: Int(leftCount)), as: UTF8.self)
        let second = String(decoding: UnsafeRawBufferPointer(start: right, count: Int(rightCount)), as: UTF8.self)
        if isLess(first, second) { return -1 }
        return isLess(second, first) ? 1 : 0
      }, { $0.map { Unmanaged<SQLCollation.Box>.fromOpaque($0).release() } })
    guard result == SQLITE_OK else {
      // Unlike the functions', SQLite does not call this destructor if the call fails.
      box.release()
      throw error(result, operation: "create collation \(collation.name)", sql: nil)
    }
  }
}
