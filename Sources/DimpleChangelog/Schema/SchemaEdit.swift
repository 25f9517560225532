/// What one statement did to the schema, as far as identities are concerned.
enum SchemaEdit: Sendable, Equatable {
  case created(String)
  case dropped(String)
  case renamed(from: String, to: String)
  case columnAdded(table: String, String)
  case columnDropped(table: String, String)
  case columnRenamed(table: String, from: String, to: String)
}

extension SchemaEdit {
  /// The edits between the schemas around a single statement.
  ///
  /// No statement of SQLite both drops and creates a table, and none both drops and adds a column: one name gone and one come
  /// is a renaming. (`ALTER TABLE`: https://sqlite.org/lang_altertable.html.) Names that differ in case alone are the same
  /// name, renamed.
  static func edits(from old: SchemaSnapshot, to new: SchemaSnapshot) -> [SchemaEdit] {
    let gone = old.tables.keys.filter { new.tables[$0] == nil }.sorted().compactMap { old.tables[$0] }
    let come = new.tables.keys.filter { old.tables[$0] == nil }.sorted().compactMap { new.tables[$0] }
    var edits: [SchemaEdit] = []
    if let before = gone.first, let after = come.first, gone.count == 1, come.count == 1 {
      edits.append(.renamed(from: before.name, to: after.name))
      edits += columnEdits(from: before, to: after)
    } else {
      edits += gone.map { .dropped($0.name) } + come.map { .created($0.name) }
    }
    for (key, after) in new.tables.sorted(by: { $0.key < $1.key }) {
      guard let before = old.tables[key], before != after else { continue }
      if before.name != after.name { edits.append(.renamed(from: before.name, to: after.name)) }
      edits += columnEdits(from: before, to: after)
    }
    return edits
  }

  /// Column edits, by the table's new name.
  private static func columnEdits(from old: SchemaTable, to new: SchemaTable) -> [SchemaEdit] {
    let oldNames = Set(old.columns.map { SQLName($0.name) })
    let newNames = Set(new.columns.map { SQLName($0.name) })
    let gone = old.columns.filter { !newNames.contains(SQLName($0.name)) }
    let come = new.columns.filter { !oldNames.contains(SQLName($0.name)) }
    var edits: [SchemaEdit] = []
    if let before = gone.first, let after = come.first, gone.count == 1, come.count == 1,
      old.columns.firstIndex(of: before) == new.columns.firstIndex(of: after)
    {
      edits.append(.columnRenamed(table: new.name, from: before.name, to: after.name))
    } else {
      edits += gone.map { .columnDropped(table: new.name, $0.name) }
      edits += come.map { .columnAdded(table: new.name, $0.name) }
    }
    for after in new.columns {
      guard let before = old.column(after.name), before.name != after.name else { continue }
      edits.append(.columnRenamed(table: new.name, from: before.name, to: after.name))
    }
    return edits
  }
}
