/// The stable ids of tables and columns: the contents of `dimple_table` and `dimple_column`.
struct Catalog: Sendable, Equatable {
  /// What is known of a table.
  struct Table: Sendable, Equatable {
    var id: Int64
    /// The name now, or the last one of a table that is gone.
    var name: String
    var state: State
    /// By id, ascending; columns that are gone keep their last name.
    var columns: [Column]

    static func == (left: Table, right: Table) -> Bool {
      left.id == right.id && left.name.hasSameBytes(as: right.name) && left.state == right.state
        && left.columns == right.columns
    }
  }

  /// Whether a table's writes are logged.
  enum State: Int64, Sendable {
    /// Dropped. Its changes stay in the log, under its last name.
    case gone = 0
    /// All rows are in the log.
    case tracked = 1
    /// Tracked, but the rows that were there before are not in the log yet.
    case adopting = 2
    /// Declared untracked; it was tracked once.
    case local = 3

    var isTracked: Bool { self == .tracked || self == .adopting }
  }

  /// A column's id within its table.
  struct Column: Sendable, Equatable {
    var id: Int64
    var name: String
    var isGone: Bool

    static func == (left: Column, right: Column) -> Bool {
      left.id == right.id && left.name.hasSameBytes(as: right.name) && left.isGone == right.isGone
    }
  }

  /// By id.
  private(set) var tables: [Int64: Table] = [:]
  /// Ids of the tables that exist.
  private var ids: [SQLName: Int64] = [:]

  init(_ tables: [Table] = []) {
    for table in tables { put(table) }
  }

  /// The table that exists under that name, tracked or local.
  subscript(name: String) -> Table? { ids[SQLName(name)].flatMap { tables[$0] } }

  private mutating func put(_ table: Table) {
    if let before = tables[table.id], ids[SQLName(before.name)] == table.id {
      ids[SQLName(before.name)] = nil
    }
    tables[table.id] = table
    if table.state != .gone { ids[SQLName(table.name)] = table.id }
  }
}

extension Catalog {
  /// Follows one edit of the schema. Tables that the catalogue does not know stay unknown.
  mutating func apply(_ edit: SchemaEdit) {
    switch edit {
    case .created: break
    case .dropped(let name): change(name) { $0.state = .gone }
    case .renamed(let old, let new): change(old) { $0.name = new }
    case .columnAdded(let table, let name): change(table) { $0.addColumn(name) }
    case .columnDropped(let table, let name): change(table) { $0.changeColumn(name) { $0.isGone = true } }
    case .columnRenamed(let table, let old, let new): change(table) { $0.changeColumn(old) { $0.name = new } }
    }
  }

  /// Gives ids to a table that has none, or takes a local one up again; the ids of a tracked one stay, and follow its columns.
  mutating func track(_ table: SchemaTable, state: State) {
    var entry = self[table.name] ?? Table(id: (tables.keys.max() ?? 0) + 1, name: table.name, state: state, columns: [])
    entry.state = state
    entry.name = table.name
    entry.align(with: table)
    put(entry)
  }

  /// Stops tracking a table that still exists.
  mutating func untrack(_ name: String) { change(name) { $0.state = .local } }

  /// Marks a table whose old rows are all in the log.
  mutating func finishAdoption(_ id: Int64) {
    guard let table = tables[id] else { return }
    change(table.name) { $0.state = .tracked }
  }

  /// The rows of a tracked table are to become changes once more.
  mutating func adoptAgain(_ id: Int64) {
    guard let table = tables[id], table.state.isTracked else { return }
    change(table.name) { $0.state = .adopting }
  }

  /// A rebuilt table takes the place of the one it was made from: that one's ids go to the new table, columns matched by name.
  mutating func replace(_ original: Int64, by rebuilt: SchemaTable, state: State) {
    guard var entry = tables[original] else { return }
    if var temporary = self[rebuilt.name], temporary.id != original {
      temporary.state = .gone
      put(temporary)
    }
    entry.state = state.isTracked ? state : .tracked
    entry.name = rebuilt.name
    entry.align(with: rebuilt)
    put(entry)
  }

  private mutating func change(_ name: String, _ body: (inout Table) -> Void) {
    guard var table = self[name] else { return }
    body(&table)
    put(table)
  }
}

extension Catalog.Table {
  /// The id of the column that exists under that name.
  func columnID(_ name: String) -> Int64? {
    index(name).map { columns[$0].id }
  }

  fileprivate mutating func addColumn(_ name: String) {
    columns.append(.init(id: (columns.last?.id ?? 0) + 1, name: name, isGone: false))
  }

  fileprivate mutating func changeColumn(_ name: String, _ body: (inout Catalog.Column) -> Void) {
    if let index = index(name) { body(&columns[index]) }
  }

  private func index(_ name: String) -> Int? {
    let name = SQLName(name)
    return columns.firstIndex { !$0.isGone && SQLName($0.name) == name }
  }

  /// Makes the columns those of `table`, by name.
  fileprivate mutating func align(with table: SchemaTable) {
    let names = Set(table.columns.map { SQLName($0.name) })
    for index in columns.indices where !names.contains(SQLName(columns[index].name)) {
      columns[index].isGone = true
    }
    for column in table.columns {
      if columnID(column.name) == nil {
        addColumn(column.name)
      } else {
        changeColumn(column.name) { $0.name = column.name }
      }
    }
  }
}
