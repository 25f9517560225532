#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

/// A type whose values SQLite stores in one column.
public protocol SQLConvertible {
  /// The value as SQLite stores it.
  var sqlValue: SQLValue { get }
  /// From what SQLite stored.
  ///
  /// - Throws: ``StoreError/Code/typeMismatch`` for a value that is not exactly one of this type.
  init(sqlValue: SQLValue) throws
}

extension SQLValue {
  func mismatch(_ type: Any.Type) -> StoreError {
    StoreError(
      .typeMismatch, operation: "read a value", message: "\(kind) cannot be read as \(type).",
      hint: self == .null ? "Make the property optional, or the column NOT NULL." : "")
  }

  private var kind: String {
    switch self {
    case .null: "NULL"
    case .integer: "An integer"
    case .real: "A real"
    case .text: "Text"
    case .blob: "A blob"
    case .invalidText: "Text that is not UTF-8"
    }
  }
}

extension SQLValue: SQLConvertible {
  /// Itself.
  public var sqlValue: SQLValue { self }
  /// Itself.
  public init(sqlValue: SQLValue) { self = sqlValue }
}

extension FixedWidthInteger where Self: SQLConvertible {
  /// An integer; a `UInt64` beyond 2^63-1 keeps its bits and reads back the same.
  public var sqlValue: SQLValue { .integer(Int64(truncatingIfNeeded: self)) }

  /// An integer in range.
  public init(sqlValue: SQLValue) throws {
    guard case .integer(let value) = sqlValue else { throw sqlValue.mismatch(Self.self) }
    if Self.self == UInt64.self || Self.self == UInt.self {
      self = Self(truncatingIfNeeded: value)
      return
    }
    guard let exact = Self(exactly: value) else {
      throw StoreError(
        .typeMismatch, operation: "read a value", message: "The integer is out of \(Self.self)'s range.")
    }
    self = exact
  }
}

extension Int: SQLConvertible {}
extension Int8: SQLConvertible {}
extension Int16: SQLConvertible {}
extension Int32: SQLConvertible {}
extension Int64: SQLConvertible {}
extension UInt: SQLConvertible {}
extension UInt8: SQLConvertible {}
extension UInt16: SQLConvertible {}
extension UInt32: SQLConvertible {}
extension UInt64: SQLConvertible {}

extension Bool: SQLConvertible {
  /// 0 or 1.
  public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

  /// 0 or 1.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .integer(0): self = false
    case .integer(1): self = true
    default: throw sqlValue.mismatch(Bool.self)
    }
  }
}

extension Double: SQLConvertible {
  /// A real; NaN becomes NULL, as SQLite has none.
  public var sqlValue: SQLValue { isNaN ? .null : .real(self) }

  /// A real, or an integer that a real can hold: SQLite turns `1.0` into `1` in columns without REAL affinity.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .real(let value): self = value
    case .integer(let value):
      guard let exact = Double(exactly: value) else { throw sqlValue.mismatch(Double.self) }
      self = exact
    default: throw sqlValue.mismatch(Double.self)
    }
  }
}

extension Float: SQLConvertible {
  /// A real.
  public var sqlValue: SQLValue { Double(self).sqlValue }
  /// A real that a Float can hold, rounded.
  public init(sqlValue: SQLValue) throws { self = Float(try Double(sqlValue: sqlValue)) }
}

extension String: SQLConvertible {
  /// Text.
  public var sqlValue: SQLValue { .text(self) }

  /// Text in valid UTF-8.
  public init(sqlValue: SQLValue) throws {
    guard case .text(let text) = sqlValue else { throw sqlValue.mismatch(String.self) }
    self = text
  }
}

extension Array: SQLConvertible where Element == UInt8 {
  /// A blob.
  public var sqlValue: SQLValue { .blob(self) }

  /// A blob.
  public init(sqlValue: SQLValue) throws {
    guard case .blob(let bytes) = sqlValue else { throw sqlValue.mismatch([UInt8].self) }
    self = bytes
  }
}

extension Data: SQLConvertible {
  /// A blob.
  public var sqlValue: SQLValue { .blob([UInt8](self)) }

  /// A blob.
  public init(sqlValue: SQLValue) throws {
    guard case .blob(let bytes) = sqlValue else { throw sqlValue.mismatch(Data.self) }
    self = Data(bytes)
  }
}

extension UUID: SQLConvertible {
  /// Text in lowercase.
  public var sqlValue: SQLValue { .text(uuidString.lowercased()) }

  /// Text in either case, or 16 bytes.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let uuid = UUID(uuidString: text) else { throw sqlValue.mismatch(UUID.self) }
      self = uuid
    case .blob(let bytes) where bytes.count == 16:
      self = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    default: throw sqlValue.mismatch(UUID.self)
    }
  }
}

extension URL: SQLConvertible {
  /// Text.
  public var sqlValue: SQLValue { .text(absoluteString) }

  /// Text that is a URL.
  public init(sqlValue: SQLValue) throws {
    guard case .text(let text) = sqlValue, let url = URL(string: text) else { throw sqlValue.mismatch(URL.self) }
    self = url
  }
}

extension Decimal: SQLConvertible {
  /// Text, so that no digit is lost.
  public var sqlValue: SQLValue { .text(description) }

  /// Text or an integer; a real, which may be off in the last digits, is not taken.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let value = Decimal(string: text) else { throw sqlValue.mismatch(Decimal.self) }
      self = value
    case .integer(let value): self = Decimal(value)
    default: throw sqlValue.mismatch(Decimal.self)
    }
  }
}

extension Optional: SQLConvertible where Wrapped: SQLConvertible {
  /// NULL for `nil`.
  public var sqlValue: SQLValue { self?.sqlValue ?? .null }

  /// `nil` for NULL.
  public init(sqlValue: SQLValue) throws {
    self = sqlValue == .null ? nil : try Wrapped(sqlValue: sqlValue)
  }
}

extension RawRepresentable where Self: SQLConvertible, RawValue: SQLConvertible {
  /// The raw value.
  public var sqlValue: SQLValue { rawValue.sqlValue }

  /// From the raw value.
  public init(sqlValue: SQLValue) throws {
    guard let value = Self(rawValue: try RawValue(sqlValue: sqlValue)) else { throw sqlValue.mismatch(Self.self) }
    self = value
  }
}
