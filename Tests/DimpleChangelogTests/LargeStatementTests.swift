import DimpleChangelog
import DimpleStore
import Testing

@Suite("A statement that changes more pages than its journal holds in memory")
struct LargeStatementTests {
  private static let schema = """
    CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TRIGGER refused AFTER UPDATE ON item WHEN NEW.id = 4000 AND NEW.text = 'no' BEGIN
      SELECT RAISE(ABORT, 'refused');
    END;
    CREATE TRIGGER stopped AFTER UPDATE ON item WHEN NEW.id = 4000 AND NEW.text = 'stop' BEGIN
      SELECT RAISE(FAIL, 'stopped');
    END;
    """

  private func filled(_ path: String) throws -> TrackedDatabase {
    let t = try TrackedDatabase(Self.schema, path: path)
    try t.script(
      """
      WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO item SELECT i, printf('%0200d', i) FROM n
      """)
    return t
  }

  @Test("Undone half-way, it leaves neither rows nor changes, and the transaction goes on")
  func undone() throws {
    let file = try TemporaryFile()
    let t = try filled(file.path)
    let before = try t.lastTransaction
    try t.database.write { connection in
      try connection.execute("UPDATE item SET text = 'first' WHERE id = 1")
      #expect(throws: StoreError.self) { try connection.execute("UPDATE item SET text = 'no'") }
      try connection.execute("DELETE FROM item WHERE id = 2")
    }
    #expect(try t.log(after: before) == ["update item[1] text='first'", "delete item[2]"])
    #expect(try t.rows("SELECT count(*) FROM item WHERE text = 'no'") == ["0"])
  }

  @Test("Stopped half-way by FAIL, it keeps the rows before, and their changes")
  func stopped() throws {
    let file = try TemporaryFile()
    let t = try filled(file.path)
    let before = try t.lastTransaction
    try t.database.write { connection in
      #expect(throws: StoreError.self) { try connection.execute("UPDATE item SET text = 'stop'") }
    }
    #expect(try t.rows("SELECT count(*) FROM item WHERE text = 'stop'") == ["4000"])
    #expect(try t.changes(after: before).count == 4000)
  }

  @Test("Undone by its savepoint, it leaves nothing")
  func savepoint() throws {
    struct Stop: Error {}
    let file = try TemporaryFile()
    let t = try filled(file.path)
    let before = try t.lastTransaction
    try t.database.write { connection in
      #expect(throws: Stop.self) {
        try connection.savepoint {
          for id in 1...300 { try connection.execute("UPDATE item SET text = 'x' WHERE id = \(id * 13)") }
          try connection.execute("UPDATE item SET text = 'all' WHERE id < 3000")
          throw Stop()
        }
      }
      try connection.execute("UPDATE item SET text = 'kept' WHERE id = 13")
    }
    #expect(try t.log(after: before) == ["update item[13] text='kept'"])
    #expect(try t.rows("SELECT count(*) FROM item WHERE text IN ('x', 'all')") == ["0"])
  }
}
