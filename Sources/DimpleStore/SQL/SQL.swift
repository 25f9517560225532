/// One SQL statement with the values bound to it, written as a string literal:
///
/// ```swift
/// try database.execute("UPDATE Todo SET completed = \(true) WHERE id IN \(ids)")
/// ```
///
/// Interpolated values become parameters; they are never part of the text and cannot inject. Lists become `(?, ?, …)`.
/// Names go in as `\(identifier: name)`, quoted; SQL as another `SQL`; text that is SQL, at the caller's own risk, as
/// `\(raw: text)`.
public struct SQL: Sendable, Hashable {
  /// The text, with `?` for every value.
  public let text: String
  /// The values, in the order of their parameters.
  public let bindings: [SQLValue]

  /// A statement from its parts.
  public init(text: String, bindings: [SQLValue] = []) {
    self.text = text
    self.bindings = bindings
  }

  /// A name in double quotes, as SQLite quotes them: https://sqlite.org/lang_keywords.html.
  package static func quote(identifier: String) -> String {
    "\"" + identifier.replacing("\"", with: "\"\"") + "\""
  }
}

extension SQL: ExpressibleByStringInterpolation {
  /// A statement without values.
  public init(stringLiteral text: String) { self.init(text: text) }

  /// A statement with interpolated values.
  public init(stringInterpolation: Interpolation) {
    self.init(text: stringInterpolation.text, bindings: stringInterpolation.bindings)
  }

  /// Collects a literal's parts.
  public struct Interpolation: StringInterpolationProtocol {
    var text = ""
    var bindings: [SQLValue] = []

    /// Called by the compiler.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount)
      bindings.reserveCapacity(interpolationCount)
    }

    /// The text between values.
    public mutating func appendLiteral(_ literal: String) { text += literal }

    /// A value, bound.
    public mutating func appendInterpolation(_ value: some SQLConvertible) {
      text += "?"
      bindings.append(value.sqlValue)
    }

    /// A value or NULL, bound.
    public mutating func appendInterpolation<T: SQLConvertible>(_ value: T?) { appendInterpolation(value.sqlValue) }

    /// A value, bound.
    public mutating func appendInterpolation(_ value: SQLValue) {
      text += "?"
      bindings.append(value)
    }

    /// Values, bound, in parentheses: for `IN`. An empty list matches nothing, also after `NOT IN` everything.
    public mutating func appendInterpolation<S: Sequence>(_ values: S) where S.Element: SQLConvertible {
      let values = values.map(\.sqlValue)
      text += values.isEmpty ? "(SELECT NULL WHERE 0)" : "(\(values.map { _ in "?" }.joined(separator: ", ")))"
      bindings += values
    }

    /// Bytes are one value, a blob, not a list.
    public mutating func appendInterpolation(_ bytes: [UInt8]) { appendInterpolation(SQLValue.blob(bytes)) }

    /// Text is one value, not a list of characters.
    public mutating func appendInterpolation(_ string: String) { appendInterpolation(SQLValue.text(string)) }

    /// A piece of SQL with its values.
    public mutating func appendInterpolation(_ sql: SQL) {
      text += sql.text
      bindings += sql.bindings
    }

    /// The name of a table or column, quoted.
    public mutating func appendInterpolation(identifier: String) { text += SQL.quote(identifier: identifier) }

    /// Text that becomes part of the SQL as it is. Never from outside the program.
    public mutating func appendInterpolation(raw: String) { text += raw }
  }
}
