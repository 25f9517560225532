extension SQLValue {
  /// The storage class as SQLite's `typeof()` names it.
  public var typeName: String {
    switch self {
    case .null: "null"
    case .integer: "integer"
    case .real: "real"
    case .text, .invalidText: "text"
    case .blob: "blob"
    }
  }

  /// The value for people, shortened; only where values may be shown.
  var debugText: String {
    switch self {
    case .null: "NULL"
    case .integer(let value): String(value)
    case .real(let value): String(value)
    case .text(let value): value.count > 60 ? "'\(value.prefix(60))…'" : "'\(value)'"
    case .blob(let bytes): "<\(bytes.count) bytes>"
    case .invalidText(let bytes): "<\(bytes.count) bytes of invalid text>"
    }
  }
}
