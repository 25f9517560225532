import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Undoing a transaction")
struct UndoTests {
  private static let schema = """
    CREATE TABLE List(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE Todo(
      id INTEGER PRIMARY KEY, text, data BLOB, list REFERENCES List ON DELETE CASCADE ON UPDATE CASCADE)
    """

  private func filled() throws -> TrackedDatabase {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO List VALUES (1, 'one'), (2, 'two')")
    try t.script("INSERT INTO Todo VALUES (10, 'a', x'00ff', 1), (11, NULL, NULL, 1), (12, 'c', NULL, 2)")
    return t
  }

  private static let all = ["SELECT * FROM List ORDER BY id", "SELECT * FROM Todo ORDER BY id"]

  private func state(_ t: TrackedDatabase) throws -> [[String]] { try Self.all.map { try t.rows($0) } }

  /// Runs the statements as one transaction, undoes it, undoes that.
  private func expectBothWays(_ sql: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let t = try filled()
    let before = try state(t)
    try t.script(sql)
    let after = try state(t)
    #expect(before != after, sourceLocation: sourceLocation)
    let undo = try #require(try t.changelog.undo(transaction: t.lastTransaction), sourceLocation: sourceLocation)
    #expect(try state(t) == before, sourceLocation: sourceLocation)
    #expect(try undo == t.lastTransaction, sourceLocation: sourceLocation)
    #expect(try t.changelog.undo(transaction: undo) == undo + 1, sourceLocation: sourceLocation)
    #expect(try state(t) == after, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    "INSERT INTO Todo VALUES (13, 'd', NULL, NULL)", "UPDATE Todo SET text = 'z', data = NULL WHERE id = 10",
    "DELETE FROM Todo WHERE id = 10", "DELETE FROM List WHERE id = 1", "UPDATE List SET id = 5 WHERE id = 1",
    "UPDATE Todo SET id = 20 - id + 10", "DELETE FROM List", "INSERT OR REPLACE INTO List VALUES (1, 'two')",
    "UPDATE List SET name = 'x' WHERE id = 1; UPDATE List SET name = 'one' WHERE id = 2",
    "INSERT INTO List VALUES (3, 'x'); UPDATE Todo SET list = 3; DELETE FROM List WHERE id < 3",
    "UPDATE Todo SET text = 'b' WHERE id = 10; DELETE FROM Todo WHERE id = 10; INSERT INTO Todo(id) VALUES (10)",
    "UPDATE List SET id = 3 WHERE id = 1; UPDATE List SET id = 1 WHERE id = 2; UPDATE List SET id = 2 WHERE id = 3",
  ])
  func isTheStateBeforeAndUndoneAgainTheStateAfter(sql: String) throws { try expectBothWays(sql) }

  @Test func isATrackedWrite() throws {
    let t = try filled()
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 10; DELETE FROM Todo WHERE id = 12")
    let number = try t.changelog.undo(transaction: 3)
    #expect(number == 4)
    #expect(
      try t.log(after: 3) == ["insert Todo[12] text='c' data=NULL list=2", "update Todo[10] text='a'"])
  }

  @Test func whatWasWrittenElsewhereStays() throws {
    let t = try filled()
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 10")
    try t.script("UPDATE Todo SET data = x'01' WHERE id = 10; INSERT INTO Todo(id) VALUES (14)")
    try t.changelog.undo(transaction: 3)
    #expect(try t.rows("SELECT text, data FROM Todo WHERE id IN (10, 14)") == ["'a' x[1]", "NULL NULL"])
  }

  @Test func severalAtOnceWithOthersInBetween() throws {
    let t = try filled()
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 10")
    try t.script("UPDATE Todo SET text = 'other' WHERE id = 12")
    try t.script("UPDATE Todo SET text = 'c', list = 2 WHERE id = 10")
    #expect(try t.changelog.undo(transactions: [3, 5]) == 6)
    #expect(try t.rows("SELECT text, list FROM Todo WHERE id <> 11") == ["'a' 1", "'other' 2"])
  }

  private func expectConflict(
    _ first: String, _ second: String, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> TrackedDatabase {
    let t = try filled()
    try t.script(first)
    try t.script(second)
    let before = try state(t)
    let log = try t.changes()
    let error = #expect(throws: ChangelogError.self, sourceLocation: sourceLocation) {
      try t.changelog.undo(transaction: 3)
    }
    #expect(error?.code == .undoConflict, sourceLocation: sourceLocation)
    let conflicts = (error?.conflicts ?? []).map { conflict in
      "\(conflict.reason) \(conflict.table)[\(conflict.key.map(describe).joined())] \(conflict.column ?? "–")"
    }
    #expect(conflicts == expected, sourceLocation: sourceLocation)
    #expect(try state(t) == before && t.changes() == log, sourceLocation: sourceLocation)
    return t
  }

  @Test func aColumnThatChangedSinceIsAConflictWithItsAuthor() throws {
    let t = try expectConflict(
      "UPDATE Todo SET text = 'b', data = NULL WHERE id = 10", "UPDATE Todo SET text = 'c' WHERE id = 10",
      ["columnChanged Todo[10] text"])
    let error = #expect(throws: ChangelogError.self) { try t.changelog.undo(transaction: 3) }
    #expect(try error?.conflicts.first?.stamp == t.changes().last?.stamp)
    try t.changelog.undo(transaction: 3, force: true)
    #expect(try t.rows("SELECT text, data FROM Todo WHERE id = 10") == ["'a' x[0, 255]"])
  }

  @Test func aValueThatIsAgainWhatWasLeftIsNone() throws {
    let t = try filled()
    for text in ["b", "c", "b"] { try t.script("UPDATE Todo SET text = '\(text)' WHERE id = 10") }
    try t.changelog.undo(transaction: 3)
    #expect(try t.rows("SELECT text FROM Todo WHERE id = 10") == ["'a'"])
  }

  @Test func aRowThatIsGoneCannotBeSetBack() throws {
    let t = try expectConflict(
      "UPDATE Todo SET text = 'b'", "DELETE FROM Todo WHERE id = 10", ["rowDeleted Todo[10] –"])
    try t.changelog.undo(transaction: 3, force: true)
    #expect(try t.rows("SELECT id, text FROM Todo") == ["11 NULL", "12 'c'"])
  }

  @Test func aRowThatIsThereAgainIsNotOverwritten() throws {
    let t = try expectConflict(
      "DELETE FROM Todo WHERE id = 10", "INSERT INTO Todo(id, text) VALUES (10, 'new')", ["rowInserted Todo[10] –"])
    try t.changelog.undo(transaction: 3, force: true)
    #expect(try t.rows("SELECT text, list FROM Todo WHERE id = 10") == ["'a' 1"])
  }

  @Test func anInsertedRowThatOthersWroteIsNotDeleted() throws {
    let t = try expectConflict(
      "INSERT INTO Todo(id, text) VALUES (13, 'd')", "UPDATE Todo SET text = 'e' WHERE id = 13",
      ["columnChanged Todo[13] text"])
    try t.changelog.undo(transaction: 3, force: true)
    #expect(try t.rows("SELECT * FROM Todo WHERE id = 13") == [])
  }

  @Test func aRowThatWasDeletedSinceNeedsNoDeleting() throws {
    let t = try filled()
    try t.script("INSERT INTO Todo(id, text) VALUES (13, 'd')")
    try t.script("DELETE FROM Todo WHERE id = 13")
    #expect(try t.changelog.undo(transaction: 3) == nil)
    #expect(try t.lastTransaction == 4)
  }

  @Test func whatAForeignKeyWouldDeleteByTheWayIsAConflict() throws {
    let t = try expectConflict(
      "INSERT INTO List VALUES (3, 'three')", "INSERT INTO Todo(id, list) VALUES (13, 3)", ["sideEffect Todo[13] –"])
    try t.changelog.undo(transaction: 3, force: true)
    #expect(try t.rows("SELECT * FROM Todo WHERE id = 13") == [])
  }

  @Test func aConstraintThatRefusesLeavesEverythingAsItWas() throws {
    let t = try filled()
    try t.script("UPDATE List SET name = 'free' WHERE id = 1")
    try t.script("INSERT INTO List VALUES (3, 'one')")
    try t.script("DELETE FROM Todo WHERE id = 12")
    try t.script("DELETE FROM List WHERE id = 2")
    let before = try state(t)
    for number in [3, 5] as [Int64] {
      #expect(throws: StoreError.self) { try t.changelog.undo(transaction: number) }
      #expect(try state(t) == before && t.lastTransaction == 6)
    }
  }

  @Test func triggersOfTheAppDoNotSpoilIt() throws {
    let t = try filled()
    try t.script(
      """
      CREATE TABLE Audit(id INTEGER PRIMARY KEY, what);
      CREATE TRIGGER touched AFTER UPDATE OF text ON Todo BEGIN
        UPDATE Todo SET data = x'77' WHERE id = NEW.id;
        INSERT INTO Audit(what) VALUES (NEW.text);
      END
      """)
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 10")
    try t.changelog.undo(transaction: 3)
    #expect(try t.rows("SELECT text, data FROM Todo WHERE id = 10") == ["'a' x[0, 255]"])
    // What the trigger adds now has the key of the row that is undone.
    #expect(try t.rows("SELECT what FROM Audit") == [])
  }

  @Test func aColumnThatCameLaterGoesBackToItsDefault() throws {
    let t = try filled()
    try t.script("ALTER TABLE Todo ADD COLUMN priority INTEGER DEFAULT 3")
    try t.script("UPDATE Todo SET priority = 9 WHERE id = 10")
    try t.changelog.undo(transaction: 3)
    try t.changelog.undo(transaction: 2)
    #expect(try t.rows("SELECT * FROM Todo") == [])
    try t.changelog.undo(transaction: 5)
    #expect(try t.rows("SELECT priority FROM Todo") == ["3", "3", "3"])
  }

  @Test func rowsFromBeforeTrackingHaveTheirAdoptedValues() throws {
    let file = try TemporaryFile()
    let before = try Database(file.path)
    try before.write { try $0.script("CREATE TABLE A(id INTEGER PRIMARY KEY, x); INSERT INTO A VALUES (1, 'old')") }
    try before.close()
    let t = try TrackedDatabase(path: file.path)
    try t.script("UPDATE A SET x = 'new'")
    try t.changelog.undo(transaction: 2)
    #expect(try t.rows("SELECT x FROM A") == ["'old'"])
  }

  @Test func whatIsNotInTheLogIsAnError() throws {
    let t = try filled()
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 10")
    try t.script("UPDATE Todo SET list = 2 WHERE id = 10")
    let end = try t.changes()[5].stamp.time.rawValue
    try t.database.write { connection in
      try connection.withInternalAccess { _ = try connection.execute("DELETE FROM dimple_log WHERE hlc <= \(end)") }
    }
    for number in [2, 3, 4] as [Int64] {
      let error = #expect(throws: ChangelogError.self) { try t.changelog.undo(transaction: number) }
      #expect(error?.code == .historyRemoved)
    }
    for number in [0, 5, -1] as [Int64] {
      let error = #expect(throws: ChangelogError.self) { try t.changelog.undo(transaction: number) }
      #expect(error?.code == .noSuchMoment)
    }
  }

  @Test func aTableThatIsGoneIsAnError() throws {
    let t = try filled()
    try t.script("DROP TABLE Todo")
    let error = #expect(throws: ChangelogError.self) { try t.changelog.undo(transaction: 2) }
    #expect(error?.code == .unknownTable)
  }

  @Test func inATaskToo() async throws {
    let t = try filled()
    #expect(try await t.changelog.undo(transaction: 2) == 3)
    #expect(try t.rows("SELECT * FROM Todo") == [])
  }
}
