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
}
