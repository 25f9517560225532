#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension Data: SQLConvertible {
  /// A blob.
  public var sqlValue: SQLValue { .blob([UInt8](self)) }

  /// From a blob.
  public init(sqlValue: SQLValue) throws {
    guard case .blob(let bytes) = sqlValue else { throw StoreError.mismatch(Data.self, sqlValue) }
    self.init(bytes)
  }
}

extension UUID: SQLConvertible {
  /// Text of 36 characters in lower case.
  public var sqlValue: SQLValue { .text(uuidString.lowercased()) }

  /// From text in either case, or a blob of 16 bytes.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let value = UUID(uuidString: text) else { throw StoreError.mismatch(UUID.self, sqlValue) }
      self = value
    case .blob(let bytes) where bytes.count == 16:
      self = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    default: throw StoreError.mismatch(UUID.self, sqlValue)
    }
  }
}

extension URL: SQLConvertible {
  /// The absolute string.
  public var sqlValue: SQLValue { .text(absoluteString) }

  /// From text that is a URL.
  public init(sqlValue: SQLValue) throws {
    guard case .text(let text) = sqlValue, let value = URL(string: text) else {
      throw StoreError.mismatch(URL.self, sqlValue)
    }
    self = value
  }
}

extension Decimal: SQLConvertible {
  /// Text, since a real would round: `0.1` stays `0.1`. A column for it should have the type `TEXT`.
  public var sqlValue: SQLValue { isNaN ? .real(.nan) : .text(description) }

  /// From text, or an integer. A real is refused: it is not known which decimal it was.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      // `Decimal(string:)` reads a prefix and passes over the rest, so what it read is compared.
      guard text.utf8.allSatisfy(Self.allowed), let value = Decimal(string: text) else {
        throw StoreError.mismatch(Decimal.self, sqlValue)
      }
      self = value
    case .integer(let value): self = Decimal(value)
    default: throw StoreError.mismatch(Decimal.self, sqlValue)
    }
  }

  private static func allowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }
}

extension Date: SQLConvertible {
  /// UTC text with milliseconds, `2026-11-23 10:00:00.000`, as SQLite's date functions read it and as it sorts by time.
  ///
  /// Outside the years 0 to 9999, which that form cannot say, a real: seconds since 1970.
  public var sqlValue: SQLValue {
    let seconds = timeIntervalSince1970
    guard let text = DateText.format(secondsSince1970: seconds) else { return seconds.sqlValue }
    return .text(text)
  }

  /// From ISO-8601 text (a space or a `T`, with or without fraction and offset, a date alone is midnight UTC) or from
  /// a number: seconds since 1970.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let seconds = DateText.parse(text) else { throw StoreError.mismatch(Date.self, sqlValue) }
      self.init(timeIntervalSince1970: seconds)
    case .integer(let value): self.init(timeIntervalSince1970: Double(value))
    case .real(let value): self.init(timeIntervalSince1970: value)
    default: throw StoreError.mismatch(Date.self, sqlValue)
    }
  }
}
