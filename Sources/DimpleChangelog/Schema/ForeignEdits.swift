/// What another program did to the schema while nobody followed. Pure.
///
/// Our triggers go with their table when it is renamed, and name its columns by their new names; what they do not tell
/// looks like a drop and a new table or column.
struct ForeignEdits {
  private(set) var edits: [SchemaEdit] = []

  init(_ catalog: Catalog, _ snapshot: SchemaSnapshot, _ triggers: [SchemaTrigger]) {
    for table in catalog.tables.values.sorted(by: { $0.id < $1.id }) where table.state != .gone {
      let own = triggers.first { TriggerSQL.table(ofTrigger: $0.name) == table.id && $0.name.hasSuffix("_insert") }
      if let own, SQLName(own.table) != SQLName(table.name), snapshot[own.table] != nil {
        edits.append(.renamed(from: table.name, to: own.table))
        edits += Self.renamedColumns(table, as: own.table, own)
      } else if snapshot[table.name] == nil {
        edits.append(.dropped(table.name))
      } else if let own {
        edits += Self.renamedColumns(table, as: table.name, own)
      }
    }
  }

  /// The insert trigger as it was made says `NEW."name"` for every column, in an order that the ids tell.
  private static func renamedColumns(_ table: Catalog.Table, as name: String, _ trigger: SchemaTrigger) -> [SchemaEdit]
  {
    let names = columnNames(in: trigger.sql)
    let known = table.columns.filter { !$0.isGone }
    let missing = known.filter { column in !names.contains { SQLName($0) == SQLName(column.name) } }
    let unknown = names.filter { name in !known.contains { SQLName($0.name) == SQLName(name) } }
    // One renamed column is certain; which of several is which, is not.
    guard let old = missing.first, let new = unknown.first, missing.count == 1, unknown.count == 1 else { return [] }
    return [.columnRenamed(table: name, from: old.name, to: new)]
  }

  private static func columnNames(in sql: String) -> [String] {
    sql.components(separatedBy: "NEW.\"").dropFirst().map { rest in
      var name = ""
      var characters = rest.makeIterator()
      while let character = characters.next() {
        if character != "\"" {
          name.append(character)
        } else if let next = characters.next(), next == "\"" {
          name.append("\"")
        } else {
          break
        }
      }
      return name
    }
  }
}

extension String {
  /// Foundation's, which this module does without.
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
