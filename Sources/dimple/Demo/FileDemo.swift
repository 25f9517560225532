internal import DimpleDb

/// The main job on the tables of any SQLite database; on a copy.
struct FileDemo {
  let phone: Device
  let laptop: Device
  let narrator: Narrator

  /// What a table offers to edit.
  private struct Editable {
    var table: String
    var key: [String]
    var columns: [String]
  }

  /// Files copied while a program wrote to them may not belong together.
  static func check(_ copy: String, copyOf file: String) throws {
    let database = try Database(copy)
    defer { try? database.close() }
    let answers = try database.query(String.self, "PRAGMA quick_check(1)")
    guard answers == ["ok"] else {
      throw Failure("The copy of \(file) is damaged: \(answers.joined()). Close the program that writes to it.")
    }
  }

  /// The laptop starts with the same empty tables.
  static func schema(of path: String) throws -> [Migration] {
    let source = try Database(path)
    defer { try? source.close() }
    let rows = try source.rows(
      """
      SELECT name, sql FROM sqlite_schema
      WHERE sql IS NOT NULL AND type IN ('table', 'index', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        AND name NOT LIKE 'dimple\\_%' ESCAPE '\\'
      ORDER BY type <> 'table', rowid
      """)
    return try rows.map { row in
      Migration(try row.get("name") as String, "\(raw: try row.get("sql") as String)")
    }
  }

  func run() async throws {
    let tables = try phone.database.fingerprint().tables
    let rows = tables.reduce(0) { $0 + $1.rowCount }
    narrator.line("\(tables.count) tables, \(rows) rows: each is a change now, and will sync.")
    guard let target = try editable(in: tables.filter { $0.rowCount >= 2 }) else {
      throw Failure("The database has no table with two rows and a text column outside its key to edit.")
    }
    let live = LivePrinter(laptop, "SELECT count(*) AS n FROM \(identifier: target.table)", narrator) {
      "\(RowPrinter.cell($0[0]["n"])) rows in \(target.table)"
    }
    defer { live.stop() }
    await live.wait { _ in true }

    narrator.headline("Both sync: the laptop starts empty.")
    try await phone.sync(narrator)
    try await laptop.sync(narrator)
    await live.wait { $0[0]["n"] != .integer(0) }

    narrator.headline("Both go offline and edit \(target.table).")
    try await edit(target)

    narrator.headline("They come back online, in any order.")
    try await laptop.sync(narrator)
    try await phone.sync(narrator)
    try await laptop.sync(narrator)
  }

  /// The largest table with a text column outside its key that no constraint speaks of; with two of them, if there is one.
  private func editable(in tables: [Fingerprint.Table]) throws -> Editable? {
    let candidates = try tables.map { table in
      let columns = try phone.database.rows(
        """
        SELECT name, pk FROM pragma_table_info(\(table.name)) WHERE pk > 0 OR (
          upper(type) GLOB '*CHAR*' OR upper(type) GLOB '*TEXT*') AND name NOT IN (
          SELECT "from" FROM pragma_foreign_key_list(\(table.name))) AND name NOT IN (
          SELECT c.name FROM pragma_index_list(\(table.name)) AS i, pragma_index_info(i.name) AS c WHERE i."unique")
        ORDER BY pk
        """)
      return Editable(
        table: table.name, key: try columns.filter { $0["pk"] != .integer(0) }.map { try $0.get("name") },
        columns: try columns.filter { $0["pk"] == .integer(0) }.map { try $0.get("name") })
    }
    let sizes = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.rowCount) })
    return candidates.filter { !$0.columns.isEmpty && !$0.key.isEmpty }.max { left, right in
      (min(left.columns.count, 2), sizes[left.table] ?? 0) < (min(right.columns.count, 2), sizes[right.table] ?? 0)
    }
  }

  private func edit(_ target: Editable) async throws {
    let rows = try await phone.database.rows("SELECT * FROM \(identifier: target.table) LIMIT 2")
    let first = target.columns[0]
    let second = target.columns[target.columns.count > 1 ? 1 : 0]
    try await set(first, "from the phone", of: rows[0], target, on: phone)
    try await set(second, "from the laptop", of: rows[0], target, on: laptop)
    try await set(first, "from the phone", of: rows[1], target, on: phone)
    try await set(first, "from the laptop, later", of: rows[1], target, on: laptop)
  }

  private func set(
    _ column: String, _ value: String, of row: Row, _ target: Editable, on device: Device
  ) async throws {
    let name = target.key[0]
    var condition: SQL = "\(identifier: name) = \(row[name])"
    for name in target.key.dropFirst() { condition = "\(condition) AND \(identifier: name) = \(row[name])" }
    try await device.database.execute(
      "UPDATE \(identifier: target.table) SET \(identifier: column) = \(value) WHERE \(condition)")
    let key = target.key.map { RowPrinter.cell(row[$0]) }.joined(separator: ", ")
    narrator.line("\(device.name): UPDATE \(target.table) SET \(column) = '\(value)' (row \(key))")
  }
}
