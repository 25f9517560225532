/// A type that is one SQL value.
///
/// A `RawRepresentable` type whose raw value is one conforms by declaring it: `extension Priority: SQLConvertible {}`.
public protocol SQLConvertible {
  /// The value as it is stored.
  var sqlValue: SQLValue { get }

  /// From a stored value; throws ``StoreError`` with code `typeMismatch` if it does not fit without loss.
  init(sqlValue: SQLValue) throws

  /// Binds the value to a statement: as ``sqlValue``, unless the type knows a shorter way.
  func bind(to parameter: StatementParameter) throws

  /// Reads a column, from 0: by ``init(sqlValue:)``, unless the type knows a shorter way.
  static func read(_ row: borrowing RowReader, _ column: Int) throws -> Self

  /// As ``read(_:_:)``; `nil` for `NULL`.
  static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> Self?
}

extension SQLConvertible {
  /// Binds ``sqlValue``.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(sqlValue) }

  /// By ``init(sqlValue:)``.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Self { try row.convert(column) }

  /// By ``read(_:_:)``, unless the column is `NULL`.
  @inlinable
  public static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> Self? {
    try row.isNull(column) ? nil : try read(row, column)
  }
}

extension StoreError {
  /// A value that does not fit; whoever knows the column, the row and the SQL adds them.
  static func mismatch(_ type: Any.Type, _ value: SQLValue) -> StoreError {
    let found = value == .null ? "NULL" : "a value of type \(value.typeName)"
    return StoreError(
      .typeMismatch, operation: "read a value", message: "\(found) does not fit \(type) without loss.",
      hint: value == .null ? "Make the property optional, or the column NOT NULL." : "")
  }
}

extension SQLValue: SQLConvertible {
  /// Itself.
  public var sqlValue: SQLValue { self }
  /// Itself.
  public init(sqlValue: SQLValue) { self = sqlValue }
}

extension SQLConvertible where Self: RawRepresentable, RawValue: SQLConvertible {
  /// The raw value's.
  public var sqlValue: SQLValue { rawValue.sqlValue }

  /// From the raw value's; a value that is none of the type's is a mismatch.
  public init(sqlValue: SQLValue) throws {
    guard let value = Self(rawValue: try RawValue(sqlValue: sqlValue)) else {
      throw StoreError.mismatch(Self.self, sqlValue)
    }
    self = value
  }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
  /// `nil` is `NULL`.
  public func bind(to parameter: StatementParameter) throws {
    if let self { try self.bind(to: parameter) } else { try parameter.bindNull() }
  }

  /// `NULL` is `nil`.
  @inlinable
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Wrapped? {
    try Wrapped.readIfPresent(row, column)
  }

  /// `nil` is `NULL`.
  public var sqlValue: SQLValue { self?.sqlValue ?? .null }

  /// `NULL` is `nil`.
  public init(sqlValue: SQLValue) throws {
    self = sqlValue == .null ? nil : try Wrapped(sqlValue: sqlValue)
  }
}

extension Bool: SQLConvertible {
  /// 1 or 0.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(Int64(self ? 1 : 0)) }

  /// 1 or 0.
  public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

  /// From 1 or 0, nothing else.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .integer(0): self = false
    case .integer(1): self = true
    default: throw StoreError.mismatch(Bool.self, sqlValue)
    }
  }
}

extension Double: SQLConvertible {
  /// From a real, or an integer that a double holds exactly.
  @inlinable
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Double { try row.double(column) }

  /// As ``read(_:_:)``; `nil` for `NULL`.
  @inlinable
  public static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> Double? {
    try row.doubleIfPresent(column)
  }

  /// A real.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(self) }

  /// A real. SQLite has no NaN: a statement refuses it with `typeMismatch`.
  public var sqlValue: SQLValue { .real(self) }

  /// From a real, or an integer that a double holds exactly.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .real(let value): self = value
    case .integer(let value):
      guard let exact = Double(exactly: value) else { throw StoreError.mismatch(Double.self, sqlValue) }
      self = exact
    default: throw StoreError.mismatch(Double.self, sqlValue)
    }
  }
}

extension Float: SQLConvertible {
  /// A real.
  public var sqlValue: SQLValue { Double(self).sqlValue }

  /// From a real, rounded to the nearest float, or an integer.
  public init(sqlValue: SQLValue) throws {
    do { self = Float(try Double(sqlValue: sqlValue)) } catch { throw StoreError.mismatch(Float.self, sqlValue) }
  }
}

extension String: SQLConvertible {
  /// From text in valid UTF-8.
  @inlinable
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> String { try row.string(column) }

  /// As ``read(_:_:)``; `nil` for `NULL`.
  @inlinable
  public static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> String? {
    try row.stringIfPresent(column)
  }

  /// Text.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(self) }

  /// Text, NUL characters included.
  public var sqlValue: SQLValue { .text(self) }

  /// From text in valid UTF-8.
  public init(sqlValue: SQLValue) throws {
    guard case .text(let value) = sqlValue else { throw StoreError.mismatch(String.self, sqlValue) }
    self = value
  }
}

extension Array: SQLConvertible where Element == UInt8 {
  /// A blob.
  public var sqlValue: SQLValue { .blob(self) }

  /// From a blob.
  public init(sqlValue: SQLValue) throws {
    guard case .blob(let bytes) = sqlValue else { throw StoreError.mismatch([UInt8].self, sqlValue) }
    self = bytes
  }
}
