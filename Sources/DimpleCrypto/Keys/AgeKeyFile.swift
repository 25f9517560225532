/// Key files as `age-keygen` writes them: a key a line, `#` comments, empty lines.
public enum AgeKeyFile {
  /// The identities in a file's text; there may be several.
  ///
  /// - Throws: ``AgeError/Code/invalidKey``, naming the line (never its text), also when there is no key at all.
  public static func identities(in text: String) throws -> [X25519Identity] {
    try keys(in: text, operation: "read an identity file") { try X25519Identity($0) }
  }

  /// The recipients in a file's text; there may be several.
  ///
  /// - Throws: ``AgeError/Code/invalidKey``, naming the line, also when there is no recipient at all.
  public static func recipients(in text: String) throws -> [X25519Recipient] {
    try keys(in: text, operation: "read a recipients file") { try X25519Recipient($0) }
  }

  /// The text of a new key file, for `age -i` and ``identities(in:)``. Store it readable by its owner only.
  public static func text(for identity: X25519Identity) -> String {
    "# public key: \(identity.recipient)\n\(identity.secretText)\n"
  }

  private static func keys<Key>(in text: String, operation: String, _ parse: (String) throws -> Key) throws -> [Key] {
    var keys: [Key] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      do {
        keys.append(try parse(String(line)))
      } catch {
        throw AgeError(
          .invalidKey, operation: operation, message: "line \(index + 1) is not a key that is supported here",
          hint: "A key file holds a key a line, comments that start with #, and empty lines.", underlying: error)
      }
    }
    guard !keys.isEmpty else {
      throw AgeError(.invalidKey, operation: operation, message: "there is no key in it")
    }
    return keys
  }
}
