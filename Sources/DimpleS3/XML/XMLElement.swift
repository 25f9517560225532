/// An element of a parsed document, without attributes and comments: what S3's answers are made of.
struct XMLElement: Equatable {
  /// Without its namespace prefix.
  var name: String
  /// The text directly inside, references resolved, pieces joined.
  var text = ""
  var children: [XMLElement] = []

  /// The first child of that name.
  subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// All children of that name.
  func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}
