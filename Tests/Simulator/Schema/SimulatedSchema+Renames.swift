import DimpleChangelog
import DimpleSync

/// Tables and columns that a version of the app calls otherwise than the one before. Everything in a script goes by the first
/// names; SQL is spelled for a version when it is made, and what databases say is brought back to the first names.
extension SimulatedSchema {
  /// From a version on, a table has another name, or all columns of one name have.
  struct Rename: Sendable {
    var version: Int
    var old: String
    var new: String
    var isTable: Bool
  }

  /// SQL as an app of that version writes it. What stands in quotes are values.
  func spelled(_ sql: String, in version: Int) -> String {
    let names = Dictionary(renames.filter { $0.version <= version }.map { ($0.old, $0.new) }) { first, _ in first }
    if names.isEmpty { return sql }
    var (result, word, isQuoted) = ("", "", false)
    for character in sql + "\n" {
      if !isQuoted, character.isLetter || character.isNumber {
        word.append(character)
        continue
      }
      result += names[word] ?? word
      word = ""
      if character == "'" { isQuoted.toggle() }
      result.append(character)
    }
    return String(result.dropLast())
  }

  /// The first name of a table or column.
  func original(_ name: String) -> String { renames.first { $0.new == name }?.old ?? name }

  /// A change by the first names.
  func original(_ change: Change) -> Change {
    if renames.isEmpty { return change }
    var change = change
    change.table = original(change.table)
    for index in change.columns.indices { change.columns[index].name = original(change.columns[index].name) }
    return change
  }

  /// What a version renames of the one before: tables first.
  private func renamed(in version: Int) -> [(rename: Rename, table: Table)] {
    renames.filter { $0.version == version }.sorted { $0.isTable && !$1.isTable }.flatMap { rename in
      tables.filter { table in
        guard table.version < version else { return false }
        return rename.isTable
          ? table.name == rename.old
          : table.columns.contains { $0.name == rename.old && $0.version < version }
      }.map { (rename, $0) }
    }
  }

  func renaming(in version: Int) -> [String] {
    renamed(in: version).map { rename, table in
      rename.isTable
        ? "ALTER TABLE \(rename.old) RENAME TO \(rename.new)"
        : "ALTER TABLE \(spelled(table.name, in: version)) RENAME COLUMN \(rename.old) TO \(rename.new)"
    }
  }

  /// What an app of that version declares.
  func declaredRenames(in version: Int) -> [SyncRename] {
    (1...version).flatMap { renamed(in: $0) }.map { rename, table in
      rename.isTable
        ? .table(rename.old, to: rename.new)
        : .column(rename.old, to: rename.new, of: spelled(table.name, in: version))
    }
  }
}
