internal import DimplePrimitives
package import DimpleStore

/// SQLite values as JSON, without loss. What JSON has no form for is an object with one member: `{"blob":"<base64>"}`,
/// `{"text":"<base64>"}` for text that is not UTF-8, `{"real":"inf"}` and `{"real":"-inf"}`.
package enum ValueJSON {
  package static func write(_ value: SQLValue, to writer: inout JSONWriter) {
    switch value {
    case .null: writer.raw("null")
    case .integer(let value): writer.integer(value)
    case .real(let value) where value.isFinite: writer.real(value)
    // NaN does not occur: SQLite stores it as NULL.
    case .real(let value): value > 0 ? writer.raw(#"{"real":"inf"}"#) : writer.raw(#"{"real":"-inf"}"#)
    case .text(let value): writer.string(value)
    case .blob(let bytes): tagged("blob", bytes, &writer)
    case .invalidText(let bytes): tagged("text", bytes, &writer)
    }
  }

  private static func tagged(_ tag: String, _ bytes: [UInt8], _ writer: inout JSONWriter) {
    writer.value(.object([.init(name: tag, value: .string(Base64.encode(bytes, padded: true)))]))
  }

  /// - Throws: ``SyncError/Code/damagedObject`` or ``SyncError/Code/unsupportedFormat`` for JSON that ``write(_:to:)``
  ///   never makes.
  static func read(_ json: JSON) throws -> SQLValue {
    switch json {
    case .null: return .null
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .string(let value): return .text(value)
    case .object(let members):
      guard let tag = members.first?.name, ["blob", "text", "real"].contains(tag) else {
        throw PackHeaderCodec.unsupported("A value is of a kind that is not known here.")
      }
      if members.count == 1, let value = tagged(tag, members[0].value.stringValue) { return value }
    default: break
    }
    throw SyncError(.damagedObject, operation: "read a value", message: "Not the form of any SQLite value.")
  }

  private static func tagged(_ tag: String, _ text: String?) -> SQLValue? {
    guard let text else { return nil }
    switch tag {
    case "blob": return Base64.decode(text, padded: true).map(SQLValue.blob)
    case "text":
      // Bytes that are UTF-8 after all would give one value two forms.
      guard let bytes = Base64.decode(text, padded: true), String(validating: bytes, as: UTF8.self) == nil else {
        return nil
      }
      return .invalidText(bytes)
    case "real" where text == "inf": return .real(.infinity)
    case "real" where text == "-inf": return .real(-.infinity)
    default: return nil
    }
  }
}
