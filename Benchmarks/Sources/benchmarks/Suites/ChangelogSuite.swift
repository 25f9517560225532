import DimpleChangelog
import DimpleStore
import SQLitePeer
import Samples

extension Suite {
  /// What tracking costs: against the same statements in SQLite by hand, in a database of the store that tracks nothing, and
  /// in one that tracks by two tables.
  static var changelog: Suite {
    Suite(name: "changelog") { size in
      try ChangelogBenchmarks(size: size).all
    } figures: { size in
      try await ChangelogBenchmarks(size: size).sizes() + Trimming(size: size).figures()
    }
  }
}

private struct ChangelogBenchmarks {
  private let tracked: Database
  private let sqlite: SQLiteStore
  private let untracked: Database
  private let twoTables: Database
  private let notes: [Note]

  init(size: Size) throws {
    let table = Migration("create Note", "\(raw: Note.createTable)")
    tracked = try Database(
      TemporaryFolder.newPath("tracked.db"), configuration: Configuration().tracking(), migrations: [table])
    sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"), creating: Note.createTable)
    untracked = try Database(TemporaryFolder.newPath("untracked.db"), migrations: [table])
    twoTables = try Database(
      TemporaryFolder.newPath("two-tables.db"), migrations: [table, Migration("track", "\(raw: TwoTables.schema)")])
    notes = (1...size(5_000)).map(Note.init(number:))
  }

  var all: [Benchmark] {
    Work.all.flatMap { [benchmark($0, rowsPerTransaction: 100), benchmark($0, rowsPerTransaction: 1)] }
  }

  private func benchmark(_ work: Work, rowsPerTransaction: Int) -> Benchmark {
    let few = rowsPerTransaction == 1
    return Benchmark(
      name: name(work, rowsPerTransaction), unit: "row",
      count: notes.count,
      bars: few
        ? ["SQLite": work.shortBar, "untracked": work.shortBar]
        : ["SQLite": work.bar, "untracked": work.bar, "two tables": work.twoTablesBar],
      contenders: [
        contender(Contender.ours, tracked, work, rowsPerTransaction),
        Contender(name: "SQLite") {
          try sqlite.execute("DELETE FROM Note")
          guard work.needsRows else { return }
          _ = try sqlite.write(notes, Work.insertSQL, bindsAll: true, rowsPerTransaction: notes.count)
        } run: {
          try sqlite.write(notes, work.sql, bindsAll: !work.needsRows, rowsPerTransaction: rowsPerTransaction)
        },
        contender("untracked", untracked, work, rowsPerTransaction),
        contender("two tables", twoTables, work, rowsPerTransaction) { connection in
          try connection.execute(
            "INSERT INTO changeTransaction VALUES (hex(randomblob(16)), '2026-01-01T00:00:00.000Z-0000')")
        },
      ])
  }

  private func name(_ work: Work, _ rowsPerTransaction: Int) -> String {
    "\(work.name), \(rowsPerTransaction == 1 ? "a transaction each" : "transactions of \(rowsPerTransaction)")"
  }

  private func contender(
    _ name: String, _ database: Database, _ work: Work, _ rowsPerTransaction: Int,
    begin: @escaping (Connection) throws -> Void = { _ in }
  ) -> Contender {
    Contender(name: name) {
      try database.write { connection in
        try connection.execute("DELETE FROM Note")
        if work.needsRows { try notes.forEach { try Work.insert($0, connection) } }
      }
    } run: {
      var changed = 0
      for start in stride(from: 0, to: notes.count, by: rowsPerTransaction) {
        changed += try database.write { connection in
          try begin(connection)
          return try notes[start..<min(start + rowsPerTransaction, notes.count)]
            .reduce(0) { $0 + (try work.run($1, connection)) }
        }
      }
      return changed
    }
  }
}

extension ChangelogBenchmarks {
  /// What the log's pages hold for each change: with others in a transaction, and alone in one.
  fileprivate func sizes() async throws -> [Figure] {
    var sizes: [Figure] = []
    for rowsPerTransaction in [100, 1] {
      for work in Work.all {
        let contender = contender(Contender.ours, tracked, work, rowsPerTransaction)
        try await contender.prepare()
        let before = try logBytes
        let count = try await contender.run()
        sizes.append(
          Figure(
            suite: "changelog", name: "log of \(name(work, rowsPerTransaction))",
            value: Double(try logBytes - before) / Double(count), unit: "bytes/change", bar: work.sizeBar))
      }
    }
    return sizes
  }

  private var logBytes: Int {
    get throws {
      try tracked.queryOne(Int.self, "SELECT sum(pgsize - unused) FROM dbstat WHERE name = 'dimple_log'") ?? 0
    }
  }
}

/// One kind of statement, and what tracking it should cost at most.
private struct Work {
  var name: String
  var needsRows: Bool
  /// In relation to the untracked statement: many in a transaction, and one.
  var bar: Double
  var shortBar: Double
  var twoTablesBar: Double
  /// Bytes in the log.
  var sizeBar: Double
  /// For SQLite by hand.
  var sql: String
  var run: (Note, Connection) throws -> Int

  static var all: [Work] {
    [
      Work(
        name: "insert", needsRows: false, bar: 1.8, shortBar: 1.4, twoTablesBar: 1 / 3.5, sizeBar: 130, sql: insertSQL,
        run: insert),
      Work(
        name: "update a column", needsRows: true, bar: 2, shortBar: 1.5, twoTablesBar: 1 / 2.5, sizeBar: 40,
        sql: "UPDATE Note SET priority = priority + 1 WHERE id = ?"
      ) { note, connection in
        try connection.prepared("UPDATE Note SET priority = priority + 1 WHERE id = ?").execute(note.id)
      },
      Work(
        name: "delete", needsRows: true, bar: 2, shortBar: 1.4, twoTablesBar: 1 / 2, sizeBar: 36,
        sql: "DELETE FROM Note WHERE id = ?"
      ) { note, connection in
        try connection.prepared("DELETE FROM Note WHERE id = ?").execute(note.id)
      },
    ]
  }

  static let insertSQL = "INSERT INTO Note VALUES (?, ?, ?, ?, ?, ?)"

  @discardableResult
  static func insert(_ note: Note, _ connection: Connection) throws -> Int {
    try connection.prepared("INSERT INTO Note VALUES (?, ?, ?, ?, ?, ?)")
      .execute(note.id, note.title, note.text, note.isDone, note.priority, note.score)
  }
}

/// Tracking as many libraries do it: triggers write a row of text for each column that changed, with the transaction's id.
private enum TwoTables {
  static var schema: String {
    let columns = ["title", "text", "isDone", "priority", "score"]
    let inserted = columns.map { "INSERT INTO change SELECT \(newRow), '\($0)', NEW.\($0), hlc FROM \(latest);" }
    let updated = columns.map {
      "INSERT INTO change SELECT \(newRow), '\($0)', NEW.\($0), hlc FROM \(latest) WHERE NEW.\($0) IS NOT OLD.\($0);"
    }
    return """
      CREATE TABLE changeTransaction (id TEXT PRIMARY KEY NOT NULL, hlc TEXT NOT NULL);
      CREATE TABLE change (
        id TEXT PRIMARY KEY NOT NULL, transactionID TEXT NOT NULL, tableName TEXT NOT NULL, key TEXT NOT NULL,
        columnName TEXT NOT NULL, value, hlc TEXT NOT NULL);
      CREATE TRIGGER inserted AFTER INSERT ON Note BEGIN \(inserted.joined(separator: "\n")) END;
      CREATE TRIGGER updated AFTER UPDATE ON Note BEGIN \(updated.joined(separator: "\n")) END;
      CREATE TRIGGER deleted AFTER DELETE ON Note BEGIN
        INSERT INTO change SELECT hex(randomblob(16)), id, 'Note', OLD.id, 'isDeleted', 1, hlc FROM \(latest);
      END;
      """
  }

  private static let newRow = "hex(randomblob(16)), id, 'Note', NEW.id"
  private static let latest = "(SELECT id, hlc FROM changeTransaction ORDER BY rowid DESC LIMIT 1)"
}
