internal import DimpleStore

/// Numbers for table and column names, known to this schema or not: `dimple_name(id, parent, name)`, where a table's parent
/// is 0 and a column's its table. A former name's parent is the number of what it means, negative. Names from outside are looked up and quoted, never pasted into SQL.
struct NameTable {
  private var ids: [Key: Int64] = [:]
  private var names: [Int64: Key] = [:]

  private struct Key: Hashable {
    var parent: Int64
    var name: Name
  }

  /// Compares by bytes; Swift's strings compare by canonical equivalence.
  private struct Name: Hashable {
    var text: String

    static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  /// Reads all names.
  init(_ connection: Connection) throws {
    let statement = try connection.prepare("SELECT id, parent, name FROM dimple_name")
    defer { statement.reset() }
    var aliases: [(name: String, number: Int64)] = []
    while try statement.step() {
      let (id, parent, name) = (statement.int64(0), statement.int64(1), statement.text(2))
      if parent < 0 {
        aliases.append((name, -parent))
      } else {
        let key = Key(parent: parent, name: Name(text: name))
        remember(id, key)
      }
    }
    for alias in aliases { know(alias.name, as: alias.number) }
  }

  /// - Parameter alias: A former name of what has the number.
  private mutating func know(_ alias: String, as number: Int64) {
    guard let parent = names[number]?.parent else { return }
    ids[Key(parent: parent, name: Name(text: alias))] = number
  }

  /// The number of a table, given out now if the name is new.
  mutating func table(_ name: String, _ connection: Connection) throws -> Int64 {
    try id(Key(parent: 0, name: Name(text: name)), connection)
  }

  /// The number of a column, given out now if the name is new.
  mutating func column(_ name: String, of table: Int64, _ connection: Connection) throws -> Int64 {
    try id(Key(parent: table, name: Name(text: name)), connection)
  }

  /// The number of a table, or of a column of the table `parent`, by its name or a former one.
  func number(of name: String, in parent: Int64) -> Int64? { ids[Key(parent: parent, name: Name(text: name))] }

  /// The number of a table, if it has one.
  func number(ofTable name: String) -> Int64? { ids[Key(parent: 0, name: Name(text: name))] }

  /// The numbers of all tables, ascending.
  var tables: [Int64] { names.filter { $0.value.parent == 0 }.map(\.key).sorted() }

  /// The columns of a table that have numbers, by the bytes of their names.
  func columns(of table: Int64) -> [(id: Int64, name: String)] {
    names.filter { $0.value.parent == table }
      .map { (id: $0.key, name: $0.value.name.text) }
      .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The name that has a number.
  func name(_ id: Int64) -> String? { names[id]?.name.text }

  private mutating func id(_ key: Key, _ connection: Connection) throws -> Int64 {
    if let id = ids[key] { return id }
    // Another copy of this table may have given it out meanwhile.
    let known = try connection.prepare("SELECT id FROM dimple_name WHERE parent = ? AND name = ?")
    defer { known.reset() }
    try known.bind(.integer(key.parent), at: 1)
    try known.bind(.text(key.name.text), at: 2)
    if try known.step() {
      remember(known.int64(0), key)
      return known.int64(0)
    }
    let insert = try connection.prepare("INSERT INTO dimple_name(parent, name) VALUES (?, ?)")
    try insert.run(.integer(key.parent), .text(key.name.text))
    let id = connection.lastInsertRowID
    remember(id, key)
    return id
  }

  private mutating func remember(_ id: Int64, _ key: Key) {
    ids[key] = id
    names[id] = key
  }
}

// MARK: - Renames

extension NameTable {
  /// From now on `alias` means what has the number, too.
  mutating func addAlias(_ alias: String, of number: Int64, _ connection: Connection) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_name(parent, name) VALUES (?, ?)")
      .run(.integer(-number), .text(alias))
    self = try NameTable(connection)
  }

  /// Gives a number another name, which has none yet.
  mutating func rename(_ number: Int64, to name: String, _ connection: Connection) throws {
    try connection.prepare("UPDATE dimple_name SET name = ? WHERE id = ?").run(.text(name), .integer(number))
    self = try NameTable(connection)
  }

  /// Forgets a number; its former names become those of another.
  mutating func merge(_ number: Int64, into other: Int64, _ connection: Connection) throws {
    try connection.prepare("UPDATE OR IGNORE dimple_name SET parent = ? WHERE parent = ?")
      .run(.integer(-other), .integer(-number))
    try connection.prepare("DELETE FROM dimple_name WHERE id = ? OR parent = ?")
      .run(.integer(number), .integer(-number))
    self = try NameTable(connection)
  }
}

extension String {
  /// Whether both are the same UTF-8. Swift's own comparison takes canonically equivalent texts for equal.
  func hasSameBytes(as other: String) -> Bool {
    guard utf8.count == other.utf8.count else { return false }
    let isSame = utf8.withContiguousStorageIfAvailable { mine in
      other.utf8.withContiguousStorageIfAvailable { mine.elementsEqual($0) }
    }
    return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
  }
}
