#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension SQL: ExpressibleByStringInterpolation {
  /// A literal without interpolation. Its type is `StaticString`, so that no text made at run time can pass for one.
  public init(stringLiteral value: StaticString) {
    self.init(raw: value.description)
  }

  /// A literal with interpolations.
  public init(stringInterpolation: Interpolation) {
    self.init(raw: stringInterpolation.text, bindings: stringInterpolation.bindings)
    namedBindings = stringInterpolation.namedBindings
  }

  /// Collects the parts of an interpolated literal.
  public struct Interpolation: StringInterpolationProtocol, Sendable {
    var text: String
    var bindings: [SQLValue]
    var namedBindings: [NamedValue] = []

    /// Called by the compiler.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text = ""
      text.reserveCapacity(literalCapacity + interpolationCount)
      bindings = []
      bindings.reserveCapacity(interpolationCount)
    }

    /// A part of the literal itself.
    public mutating func appendLiteral(_ literal: StaticString) {
      text += literal.description
    }

    /// A value: `?` in the text, and a binding.
    public mutating func appendInterpolation<T: SQLConvertible>(_ value: T) {
      text += "?"
      bindings.append(value.sqlValue)
    }

    /// A value, or `NULL`.
    public mutating func appendInterpolation<T: SQLConvertible>(_ value: T?) {
      text += "?"
      bindings.append(value.sqlValue)
    }

    /// A blob: one value, not a list.
    public mutating func appendInterpolation(_ bytes: [UInt8]) {
      text += "?"
      bindings.append(.blob(bytes))
    }

    /// A blob: one value, not a list.
    public mutating func appendInterpolation(_ data: Data) {
      text += "?"
      bindings.append(data.sqlValue)
    }

    /// A list in parentheses: `IN \(ids)`. Empty, it matches nothing, under `NOT IN` everything.
    public mutating func appendInterpolation<C: Collection>(_ list: C) where C.Element: SQLConvertible {
      guard !list.isEmpty else {
        // Not `(NULL)`: `x NOT IN (NULL)` is NULL and so matches nothing (https://sqlite.org/lang_expr.html#in_op).
        text += "(SELECT NULL WHERE 0)"
        return
      }
      text += "(?"
      for _ in list.dropFirst() { text += ",?" }
      text += ")"
      bindings.append(contentsOf: list.lazy.map(\.sqlValue))
    }

    /// A table's or a column's name, quoted.
    public mutating func appendInterpolation(identifier: String) {
      text += SQL.quoted(identifier: identifier)
    }

    /// All columns of a table, for a nested value: `\(columnsOf: "Artist", as: "artist")` is
    /// `NULL AS "artist.*", "Artist".*`, which names the columns after it `artist.…`.
    ///
    /// - Parameters:
    ///   - table: the table's name, or its alias in the query.
    ///   - property: the property of the decoded type; the table's name unless given.
    public mutating func appendInterpolation(columnsOf table: String, as property: String? = nil) {
      text += "NULL AS \(SQL.quoted(identifier: (property ?? table) + ".*")), \(SQL.quoted(identifier: table)).*"
    }

    /// Text as it is. The caller vouches that none of it comes from outside.
    public mutating func appendInterpolation(raw: String) {
      text += raw
    }

    /// Other SQL, with its bindings.
    public mutating func appendInterpolation(_ sql: SQL) {
      text += sql.text
      bindings += sql.bindings
      namedBindings += sql.namedBindings
    }
  }
}
