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
  public var text: String
  /// The values, in the order of the placeholders.
  public var bindings: [SQLValue]

  /// From text that the caller vouches for. Never build the text from outside input: that is what bindings are for.
  public init(raw text: String, bindings: [SQLValue] = []) {
    self.text = text
    self.bindings = bindings
  }

  /// Both texts, one after the other, with the bindings of both.
  public static func + (left: SQL, right: SQL) -> SQL {
    SQL(raw: left.text + right.text, bindings: left.bindings + right.bindings)
  }

  /// Appends text and bindings.
  public static func += (left: inout SQL, right: SQL) {
    left.text += right.text
    left.bindings += right.bindings
  }

  /// A name between double quotes, so that it is a name whatever it holds.
  public static func quoted(identifier: String) -> String {
    "\"" + identifier.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
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
