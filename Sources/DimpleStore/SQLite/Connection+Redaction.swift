internal import CSQLite

extension Connection {
  /// The message without words that come from bound values: that a full-text query or a JSON path is wrong, SQLite tells
  /// by quoting it.
  func redacted(_ message: String, of statement: Statement) -> String {
    guard statement.hasBindings else { return message }
    // Too long to be written out: then nothing is known of the words.
    guard let text = sqlite3_expanded_sql(statement.handle) else { return "SQL logic error" }
    defer { sqlite3_free(text) }
    let valuesOnly = Connection.words(String(cString: text)).subtracting(Connection.words(statement.sql))
    var result = ""
    var word = ""
    func flush() {
      result += valuesOnly.contains(word.lowercased()) ? "…" : word
      word = ""
    }
    for character in message {
      if Connection.isPartOfWord(character) {
        word.append(character)
      } else {
        flush()
        result.append(character)
      }
    }
    flush()
    return result
  }

  private static func words(_ text: String) -> Set<String> {
    Set(text.split { !isPartOfWord($0) }.map { $0.lowercased() })
  }

  private static func isPartOfWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
