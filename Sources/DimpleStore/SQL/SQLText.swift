/// The text of a statement: a string, or the parts of a literal with a `?` between them.
///
/// A literal's parts are constants of the program, so that where they lie tells which statement is meant: the text need not
/// be put together, nor hashed, to find one that was compiled before.
struct SQLText: Sendable {
  /// The parts of a literal; empty if the text is a string.
  private(set) var parts: [StaticString] = []
  private var string = ""

  init(_ text: String) { string = text }

  /// A literal's, with `placeholderCount` placeholders so far.
  init(parts: [StaticString]) { self.parts = parts }

  var isLiteral: Bool { !parts.isEmpty }

  /// A copy of it all.
  var text: String { isLiteral ? Self.join(parts, placeholderCount: parts.count - 1) : string }

  /// The parts, one after the other, with placeholders behind the first of them.
  static func join(_ parts: [StaticString], placeholderCount: Int) -> String {
    var text = ""
    for (index, part) in parts.enumerated() {
      text += part.description
      if index < placeholderCount { text += "?" }
    }
    return text
  }

  /// Whether both are the same constants of the program.
  static func areSame(_ left: [StaticString], _ right: [StaticString]) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices {
      guard left[index].hasPointerRepresentation, right[index].hasPointerRepresentation,
        left[index].utf8Start == right[index].utf8Start, left[index].utf8CodeUnitCount == right[index].utf8CodeUnitCount
      else { return false }
    }
    return true
  }

  /// A place among `count`, always the same for the same constants.
  static func place(of parts: [StaticString], among count: Int) -> Int {
    var mixed = UInt(bitPattern: parts.count)
    for part in parts.prefix(3) where part.hasPointerRepresentation {
      mixed = mixed &* 31 &+ UInt(bitPattern: part.utf8Start)
    }
    return Int((mixed ^ mixed >> 7) % UInt(count))
  }
}

extension SQLText: Hashable {
  /// By the text, however it came about.
  static func == (left: SQLText, right: SQLText) -> Bool {
    SQLText.areSame(left.parts, right.parts) && left.string == right.string || left.text == right.text
  }

  func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
