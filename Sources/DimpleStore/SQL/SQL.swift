/// SQL text and the values for its placeholders.
///
/// Written as a string literal, an interpolated value becomes a placeholder and a binding and is never part of the text:
///
/// ```swift
/// "SELECT * FROM Todo WHERE text = \(input) AND id IN \(ids)"
/// ```
///
/// Only the literal's own parts and an explicit `\(raw:)` reach the text. `\(identifier: name)` quotes a name, and another
/// ``SQL`` value is spliced in with its bindings.
public struct SQL: Sendable, Hashable {
  /// The text, with `?` for each value.
  public var text: String {
    get { storage.text }
    set { storage = SQLText(newValue) }
  }
  /// The text, put together only when somebody asks for it.
  var storage: SQLText
  /// The values of the placeholders that have no name, in their order; of `?5`, the fifth.
  public var bindings: [SQLValue]
  /// The values of the placeholders that have one.
  public var namedBindings: [NamedValue] = []

  /// From text that the caller vouches for. Never build the text from outside input: that is what bindings are for.
  public init(raw text: String, bindings: [SQLValue] = []) {
    storage = SQLText(text)
    self.bindings = bindings
  }

  init(_ storage: SQLText, bindings: [SQLValue]) {
    self.storage = storage
    self.bindings = bindings
  }

  /// From text that the caller vouches for, with values for its placeholders by name: `:name`, `@name` or `$name`.
  ///
  /// Each must have a value, and each value a placeholder: `wrongArgumentCount` otherwise, when the SQL runs.
  public init(raw text: String, named values: [String: any SQLConvertible]) {
    self.init(raw: text)
    namedBindings = NamedValue.list(values)
  }

  /// A literal with values for its placeholders, first to last, or by number: `?1`.
  public init(_ literal: StaticString, _ values: [any SQLConvertible]) {
    self.init(SQLText(parts: [literal]), bindings: values.map(\.sqlValue))
  }

  /// A literal with values for its placeholders by name: `:name`, `@name` or `$name`.
  ///
  /// ```swift
  /// SQL("SELECT * FROM Event WHERE start < :day AND stop >= :day", ["day": today])
  /// ```
  public init(_ literal: StaticString, _ values: [String: any SQLConvertible]) {
    self.init(SQLText(parts: [literal]), bindings: [])
    namedBindings = NamedValue.list(values)
  }

  /// Both texts, one after the other, with the bindings of both.
  public static func + (left: SQL, right: SQL) -> SQL {
    var result = left
    result += right
    return result
  }

  /// Appends text and bindings. A name that both have must have one value.
  public static func += (left: inout SQL, right: SQL) {
    left.text += right.text
    left.bindings += right.bindings
    left.namedBindings += right.namedBindings
  }

  /// A name between double quotes, so that it is a name whatever it holds.
  public static func quoted(identifier: String) -> String { quoted(identifier, by: UInt8(ascii: "\"")) }

  /// Text between single quotes: a literal, where SQLite takes no placeholder.
  static func quoted(literal: String) -> String { quoted(literal, by: UInt8(ascii: "'")) }

  /// By bytes: to Swift, a quote and the accent that follows it are one character, to SQLite they are two.
  private static func quoted(_ text: String, by quote: UInt8) -> String {
    var bytes = [quote]
    for byte in text.utf8 {
      if byte == quote { bytes.append(quote) }
      bytes.append(byte)
    }
    bytes.append(quote)
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension Sequence where Element == SQL {
  /// The parts with a separator between them: `conditions.joined(separator: " AND ")`.
  public func joined(separator: SQL) -> SQL {
    var result = SQL(raw: "")
    var isFirst = true
    for part in self {
      if !isFirst { result += separator }
      result += part
      isFirst = false
    }
    return result
  }
}

extension SQL: CustomStringConvertible {
  /// The text; values are left out.
  public var description: String { text }
}

/// The value of a placeholder that has a name.
public struct NamedValue: Sendable, Hashable {
  /// Without the `:`, `@` or `$`.
  public var name: String
  /// What is bound.
  public var value: SQLValue

  /// A name and its value.
  public init(_ name: String, _ value: SQLValue) {
    self.name = name
    self.value = value
  }

  static func list(_ values: [String: any SQLConvertible]) -> [NamedValue] {
    values.map { NamedValue($0, $1.sqlValue) }.sorted { $0.name < $1.name }
  }
}
