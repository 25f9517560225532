#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension SQL: ExpressibleByStringInterpolation {
  /// A literal without interpolation. Its type is `StaticString`, so that no text made at run time can pass for one.
  public init(stringLiteral value: StaticString) {
    self.init(SQLText(parts: [value]), bindings: [])
  }

  /// A literal with interpolations.
  public init(stringInterpolation: Interpolation) {
    self.init(stringInterpolation.finished, bindings: stringInterpolation.bindings)
    namedBindings = stringInterpolation.namedBindings
  }

  /// Collects the parts of an interpolated literal.
  public struct Interpolation: StringInterpolationProtocol, Sendable {
    /// The literal's own parts, as long as there are only values between them; one for each value, and the last.
    private var parts: [StaticString] = []
    /// The text, once there is more than that.
    private var text: String?
    var bindings: [SQLValue] = []
    var namedBindings: [NamedValue] = []

    /// Called by the compiler.
    public init(literalCapacity: Int, interpolationCount: Int) {
      parts.reserveCapacity(interpolationCount + 1)
      bindings.reserveCapacity(interpolationCount)
    }

    /// A part of the literal itself.
    public mutating func appendLiteral(_ literal: StaticString) {
      if text == nil, parts.count == bindings.count { return parts.append(literal) }
      append(literal.description)
    }

    /// The text that the parts have made.
    fileprivate var finished: SQLText {
      if let text { return SQLText(text) }
      return SQLText(parts: parts.count == bindings.count ? parts + [""] : parts)
    }

    /// Any text: from here on, it is put together.
    private mutating func append(_ more: String) {
      var whole = text ?? SQLText.join(parts, placeholderCount: bindings.count)
      text = nil
      whole += more
      text = whole
    }

    private mutating func append(value: SQLValue) {
      if text != nil {
        append("?")
      } else if parts.count == bindings.count {
        parts.append("")
      }
      bindings.append(value)
    }

    /// A value: `?` in the text, and a binding.
    public mutating func appendInterpolation<T: SQLConvertible>(_ value: T) {
      append(value: value.sqlValue)
    }

    /// A value, or `NULL`.
    public mutating func appendInterpolation<T: SQLConvertible>(_ value: T?) {
      append(value: value.sqlValue)
    }

    /// A blob: one value, not a list.
    public mutating func appendInterpolation(_ bytes: [UInt8]) {
      append(value: .blob(bytes))
    }

    /// A blob: one value, not a list.
    public mutating func appendInterpolation(_ data: Data) {
      append(value: data.sqlValue)
    }

    /// A list in parentheses: `IN \(ids)`. Empty, it matches nothing, under `NOT IN` everything.
    public mutating func appendInterpolation<C: Collection>(_ list: C) where C.Element: SQLConvertible {
      guard !list.isEmpty else {
        // Not `(NULL)`: `x NOT IN (NULL)` is NULL and so matches nothing (https://sqlite.org/lang_expr.html#in_op).
        return append("(SELECT NULL WHERE 0)")
      }
      append("(?" + String(repeating: ",?", count: list.count - 1) + ")")
      bindings.append(contentsOf: list.lazy.map(\.sqlValue))
    }

    /// A table's or a column's name, quoted.
    public mutating func appendInterpolation(identifier: String) {
      append(SQL.quoted(identifier: identifier))
    }

    /// All columns of a table, for a nested value: `\(columnsOf: "Artist", as: "artist")` is
    /// `NULL AS "artist.*", "Artist".*`, which names the columns after it `artist.…`.
    ///
    /// - Parameters:
    ///   - table: the table's name, or its alias in the query.
    ///   - property: the property of the decoded type; the table's name unless given.
    public mutating func appendInterpolation(columnsOf table: String, as property: String? = nil) {
      append("NULL AS \(SQL.quoted(identifier: (property ?? table) + ".*")), \(SQL.quoted(identifier: table)).*")
    }

    /// Text as it is. The caller vouches that none of it comes from outside.
    public mutating func appendInterpolation(raw: String) {
      append(raw)
    }

    /// Other SQL, with its bindings.
    public mutating func appendInterpolation(_ sql: SQL) {
      append(sql.text)
      bindings += sql.bindings
      namedBindings += sql.namedBindings
    }
  }
}
