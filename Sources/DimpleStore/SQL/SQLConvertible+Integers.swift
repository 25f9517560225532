extension SQLValue {
  /// The integer of a type; a real counts only if it is whole, so nothing is ever cut off.
  func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
    switch self {
    case .integer(let value): if let exact = I(exactly: value) { return exact }
    case .real(let value): if let exact = I(exactly: value) { return exact }
    default: break
    }
    throw StoreError.mismatch(type, self)
  }

  /// The integer of an unsigned type of 64 bits: see ``UInt64``'s conformance.
  func unsigned<I: FixedWidthInteger & UnsignedInteger>(_ type: I.Type) throws -> I {
    guard case .blob(let bytes) = self, bytes.count == 8 else { return try integer(type) }
    guard let exact = I(exactly: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) else {
      throw StoreError.mismatch(type, self)
    }
    return exact
  }

  /// An integer if 63 bits hold it, otherwise eight big-endian bytes, which SQLite sorts behind all integers.
  init(unsigned value: UInt64) {
    if let signed = Int64(exactly: value) {
      self = .integer(signed)
    } else {
      self = .blob((0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) })
    }
  }
}

extension Int: SQLConvertible {
  /// From an integer in range, or a whole real.
  @inlinable
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Int {
    try row.int(column)
  }

  /// As ``read(_:_:)``; `nil` for `NULL`.
  @inlinable
  public static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> Int? {
    try row.intIfPresent(column)
  }

  /// An integer.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(Int64(self)) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(Int.self) }
}

extension Int8: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Int8 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(Int8.self) }
}

extension Int16: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Int16 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(Int16.self) }
}

extension Int32: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Int32 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(Int32.self) }
}

extension Int64: SQLConvertible {
  /// From an integer in range, or a whole real.
  @inlinable
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> Int64 { try row.int64(column) }

  /// As ``read(_:_:)``; `nil` for `NULL`.
  @inlinable
  public static func readIfPresent(_ row: borrowing RowReader, _ column: Int) throws -> Int64? {
    try row.int64IfPresent(column)
  }

  /// An integer.
  public func bind(to parameter: StatementParameter) throws { try parameter.bind(self) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(self) }
  /// From an integer, or a whole real in range.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(Int64.self) }
}

extension UInt8: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> UInt8 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(UInt8.self) }
}

extension UInt16: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> UInt16 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(UInt16.self) }
}

extension UInt32: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> UInt32 { try row.integer(column) }

  /// An integer.
  public var sqlValue: SQLValue { .integer(Int64(self)) }
  /// From an integer in range, or a whole real.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.integer(UInt32.self) }
}

extension UInt: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> UInt { try row.integer(column) }

  /// As ``UInt64``.
  public var sqlValue: SQLValue { SQLValue(unsigned: UInt64(self)) }
  /// As ``UInt64``.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.unsigned(UInt.self) }
}

extension UInt64: SQLConvertible {
  /// From an integer in range, or a whole real.
  public static func read(_ row: borrowing RowReader, _ column: Int) throws -> UInt64 { try row.integer(column) }

  /// An integer up to 2⁶³-1, which is all SQLite has; beyond, eight big-endian bytes: lossless, and still in order.
  public var sqlValue: SQLValue { SQLValue(unsigned: self) }
  /// From an integer in range, a whole real, or those eight bytes.
  public init(sqlValue: SQLValue) throws { self = try sqlValue.unsigned(UInt64.self) }
}
