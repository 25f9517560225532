/// One value as SQLite stores it, without loss: the five storage classes of https://sqlite.org/datatype3.html.
///
/// Equality and hashing compare type and bits: `0.0` differs from `-0.0`, `1` from `1.0`, `"a"` from its bytes.
public enum SQLValue: Sendable {
  /// `NULL`
  case null
  /// A 64-bit signed integer.
  case integer(Int64)
  /// An IEEE 754 double. SQLite has no NaN: binding one is a `typeMismatch`.
  case real(Double)
  /// Text in valid UTF-8; may hold NUL characters.
  case text(String)
  /// Bytes.
  case blob([UInt8])
  /// Text whose bytes are not valid UTF-8, as another program may have left it. Read-back only: kept to the bit.
  case invalidText([UInt8])
}

extension SQLValue: Hashable {
  /// Type and bits.
  public static func == (left: SQLValue, right: SQLValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.integer(let a), .integer(let b)): a == b
    case (.real(let a), .real(let b)): a.bitPattern == b.bitPattern
    // Swift compares strings by canonical equivalence; SQLite, and we, by bytes.
    case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
    case (.blob(let a), .blob(let b)), (.invalidText(let a), .invalidText(let b)): a == b
    default: false
    }
  }

  /// Type and bits.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .integer(let value): hasher.combine(value)
    case .real(let value): hasher.combine(value.bitPattern)
    case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
    case .blob(let bytes), .invalidText(let bytes): hasher.combine(bytes)
    }
  }
}
