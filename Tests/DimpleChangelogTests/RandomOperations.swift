import DimpleChangelog
import DimpleStore
import DimpleTestSupport

/// Random writes of every kind to tables of every kind; the same for the same seed.
struct RandomOperations {
  static let tables = ["plain", "texts", "composite", "rowless", "strict", "child", "tree"]

  /// The copy enforces no foreign keys: what their actions did is in the log as changes of their own.
  static let schema = """
    CREATE TABLE plain(id INTEGER PRIMARY KEY, a, u UNIQUE, g AS (a || '!'));
    CREATE TABLE texts(k TEXT PRIMARY KEY COLLATE NOCASE, a COLLATE NOCASE, b REAL, c NUMERIC);
    CREATE TABLE composite(a, k2 BLOB, k1 INTEGER, b INTEGER, PRIMARY KEY (k1, k2));
    CREATE TABLE rowless(k REAL, l TEXT, a TEXT DEFAULT 'd', PRIMARY KEY (k, l)) WITHOUT ROWID;
    CREATE TABLE strict(id INT PRIMARY KEY NOT NULL, a ANY, s INTEGER AS (id + 1) STORED, b BLOB) STRICT;
    CREATE TABLE child(
      id INTEGER PRIMARY KEY, p REFERENCES plain(u) ON DELETE SET NULL ON UPDATE CASCADE,
      t TEXT REFERENCES texts ON DELETE CASCADE ON UPDATE SET NULL, note);
    CREATE TABLE tree(
      id INTEGER PRIMARY KEY, parent REFERENCES tree ON DELETE CASCADE ON UPDATE CASCADE, a REFERENCES plain);
    """

  /// Made on the tracked database only: their effects are in the log as changes of their own.
  static let triggers = """
    CREATE TRIGGER noted AFTER UPDATE OF a ON plain BEGIN
      UPDATE plain SET u = NULL WHERE id = NEW.id AND typeof(NEW.a) = 'real';
      INSERT OR IGNORE INTO composite VALUES (NEW.a, 'noted', NEW.id, 0);
    END;
    CREATE TRIGGER gone AFTER DELETE ON plain BEGIN
      UPDATE child SET p = NULL, note = 'orphan' WHERE p = OLD.id;
      DELETE FROM texts WHERE k = OLD.a;
    END;
    CREATE TRIGGER refused BEFORE INSERT ON tree WHEN NEW.id = 5 BEGIN SELECT RAISE(IGNORE); END;
    CREATE TRIGGER again AFTER INSERT ON tree WHEN NEW.parent = NEW.id BEGIN
      UPDATE tree SET parent = NULL WHERE id = NEW.id;
    END;
    CREATE TRIGGER overflow AFTER INSERT ON composite WHEN typeof(NEW.a) = 'integer' AND NEW.a < -1 BEGIN
      SELECT abs(NEW.a);
    END;
    CREATE TRIGGER aborted AFTER UPDATE ON rowless WHEN NEW.a = '4' BEGIN SELECT RAISE(ABORT, 'aborted'); END;
    CREATE TRIGGER rolled BEFORE DELETE ON strict WHEN OLD.a = 5 BEGIN SELECT RAISE(ROLLBACK, 'rolled'); END;
    """

  /// With these as well, any statement may end in the middle and leave what it did.
  static let failingTriggers = """
    CREATE TRIGGER failed AFTER UPDATE ON composite WHEN NEW.b = 2 BEGIN SELECT RAISE(FAIL, 'failed'); END;
    CREATE TRIGGER stopped BEFORE DELETE ON child WHEN OLD.id = 3 BEGIN
      UPDATE child SET note = 'stopped' WHERE id <> 3;
      SELECT RAISE(FAIL, 'stopped');
    END;
    """

  var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A transaction of some statements, of which parts or the whole may be undone.
  mutating func transaction(_ database: Database, through undo: UndoStack? = nil) throws {
    var generator = self
    defer { self = generator }
    func write(_ body: (Connection) throws -> Void) throws {
      if let undo { try undo.write("random", body) } else { try database.write(body) }
    }
    try? write { connection in
      for _ in 0..<1 + generator.random.below(6) {
        generator.step(connection, depth: 0)
      }
      if generator.random.oneIn(8) { throw Stop() }
    }
  }

  /// A statement, or some in a savepoint.
  private mutating func step(_ connection: Connection, depth: Int) {
    // A constraint that fails, or a key that is NULL, undoes the statement, and the transaction goes on.
    if depth == 3 || !random.oneIn(5) {
      try? statement(connection)
      return
    }
    try? connection.savepoint {
      for _ in 0..<1 + random.below(3) { step(connection, depth: depth + 1) }
      if random.oneIn(2) { throw Stop() }
    }
  }

  private mutating func statement(_ connection: Connection) throws {
    // What is in the log may not be seen, and what is not yet may not be lost, by reading it.
    if random.oneIn(12) { _ = try connection.query(Int.self, "SELECT count(*) FROM dimple_log") }
    let table = random.pick(Self.tables) ?? "plain"
    let key = keyColumns(of: table)
    let columns = valueColumns(of: table)
    switch random.below(10) {
    case 0...4:
      let verb =
        random.pick([
          "INSERT", "INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "REPLACE",
        ]) ?? ""
      let rows = (0..<1 + random.below(3)).map { _ in values(table) }
      let marks = rows.map { row in "(\(row.map { _ in "?" }.joined(separator: ", ")))" }.joined(separator: ", ")
      let sql = SQL(
        raw: """
          \(random.oneIn(25) ? "INSERT OR ROLLBACK" : verb) INTO \(table)
          (\((key + columns).joined(separator: ", "))) VALUES \(marks) \(random.oneIn(4) ? "RETURNING 1" : "")
          """, bindings: rows.flatMap { $0 })
      // Of the rows that it returns, only the first is asked for.
      _ = try connection.queryOne(Int.self, sql)
    case 5:
      let name = columns[random.below(columns.count)]
      let names = (key + columns).joined(separator: ", ")
      let bindings = values(table)
      let marks = bindings.map { _ in "?" }.joined(separator: ", ")
      try connection.execute(
        SQL(
          raw: """
            INSERT INTO \(table)(\(names)) VALUES (\(marks))
            ON CONFLICT(\(key.joined(separator: ", "))) DO UPDATE SET \(name) = excluded.\(name)
            """, bindings: bindings))
    case 6, 7:
      let name = columns[random.below(columns.count)]
      try connection.execute(
        SQL(
          raw:
            "UPDATE OR \(random.pick(["REPLACE", "IGNORE", "ABORT", "FAIL"]) ?? "") \(table) SET \(name) = ? \(filter(table, key))",
          bindings: [value(of: name, in: table)]))
    case 8:
      try connection.execute(
        SQL(raw: "UPDATE OR REPLACE \(table) SET \(key[0]) = ? \(filter(table, key))", bindings: [keyValue()]))
    default:
      try connection.execute(SQL(raw: "DELETE FROM \(table) \(random.oneIn(6) ? "" : filter(table, key))"))
    }
  }

  /// One row or two.
  private mutating func filter(_ table: String, _ key: [String]) -> String {
    let names = key.joined(separator: ", ")
    return "WHERE (\(names)) IN (SELECT \(names) FROM \(table) LIMIT \(1 + random.below(2)) OFFSET \(random.below(3)))"
  }

  private func keyColumns(of table: String) -> [String] {
    switch table {
    case "texts": ["k"]
    case "composite": ["k1", "k2"]
    case "rowless": ["k", "l"]
    default: ["id"]
    }
  }

  private func valueColumns(of table: String) -> [String] {
    switch table {
    case "plain": ["a", "u"]
    case "texts": ["a", "b", "c"]
    case "composite": ["a", "b"]
    case "rowless": ["a"]
    case "strict": ["a", "b"]
    case "child": ["p", "t", "note"]
    default: ["parent", "a"]
    }
  }

  private mutating func values(_ table: String) -> [SQLValue] {
    keyColumns(of: table).map { _ in keyValue() } + valueColumns(of: table).map { value(of: $0, in: table) }
  }

  /// References that often hold, and what STRICT accepts; else anything.
  private mutating func value(of column: String, in table: String) -> SQLValue {
    switch (table, column) {
    case ("child", "p"), ("child", "t"), ("tree", "parent"), ("tree", "a"):
      random.oneIn(2) ? .null : .integer(Int64(random.below(6)))
    case ("strict", "b"): random.oneIn(3) ? .null : .blob([UInt8(random.below(3))])
    default: value()
    }
  }

  private mutating func keyValue() -> SQLValue { random.oneIn(8) ? value() : .integer(Int64(random.below(6))) }

  /// Small numbers often, so that keys meet; otherwise what is hard to keep.
  private mutating func value() -> SQLValue {
    switch random.below(12) {
    case 0...4: .integer(Int64(random.below(6)))
    case 5: .text("\(random.below(6))")
    case 6:
      .text(
        random.pick(["abc", "ABC", "no", "", "é", "e\u{301}", "nul\0", "01931f3a-7c4e-7abc-8000-000000000005"]) ?? "")
    case 7: .real(random.pick([0, -0.0, 1, 2.5, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1 + 0.2]) ?? 0)
    case 8: .blob(random.pick([[], [0], [0x61, 0x62, 0x63], [0xFF]]) ?? [])
    case 9: .integer(random.pick([.max, .min, -1, 1 << 53 + 1]) ?? 0)
    case 10: random.oneIn(4) ? .blob([UInt8](repeating: 7, count: 40_000)) : .invalidText([0xC3, 0x28])
    default: .null
    }
  }
}
