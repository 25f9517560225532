import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite("The undo stack")
struct UndoStackTests {
  private static let schema = "CREATE TABLE A(id INTEGER PRIMARY KEY, x)"

  private func x(_ t: TrackedDatabase) throws -> [String] { try t.rows("SELECT x FROM A ORDER BY id") }

  private func insert(_ id: Int, _ undo: UndoStack) throws {
    try undo.write("Insert \(id)") { try $0.execute("INSERT INTO A VALUES (\(id), \(id))") }
  }

  @Test func undoesAndRedoesByName() throws {
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database)
    #expect(!undo.canUndo && !undo.canRedo && undo.undoName == nil)
    try insert(1, undo)
    try insert(2, undo)
    #expect(undo.undoName == "Insert 2" && undo.undoNames == ["Insert 1", "Insert 2"])
    #expect(try undo.undo() == "Insert 2")
    #expect(undo.undoName == "Insert 1" && undo.redoName == "Insert 2")
    #expect(try undo.undo() == "Insert 1")
    #expect(try x(t) == [] && !undo.canUndo)
    #expect(try undo.redo() == "Insert 1")
    #expect(try undo.redo() == "Insert 2")
    #expect(try x(t) == ["1", "2"] && !undo.canRedo && undo.undoName == "Insert 2")
    // Over and over.
    for _ in 0..<5 {
      try undo.undo()
      #expect(try x(t) == ["1"])
      try undo.redo()
      #expect(try x(t) == ["1", "2"])
    }
  }

  @Test func withoutAStepIsAnError() throws {
    let undo = try UndoStack(TrackedDatabase(Self.schema).database)
    for action in [{ try undo.undo() }, { try undo.redo() }] {
      let error = #expect(throws: ChangelogError.self) { _ = try action() }
      #expect(error?.code == .nothingToUndo)
    }
    let error = #expect(throws: ChangelogError.self) { try UndoStack(Database.inMemory()) }
    #expect(error?.code == .notAttached)
  }

  @Test func aNewWriteEmptiesTheRedoSide() throws {
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database)
    try insert(1, undo)
    try undo.undo()
    try insert(2, undo)
    #expect(!undo.canRedo)
    try undo.undo()
    #expect(try x(t) == [] && !undo.canUndo)
  }

  @Test func aGroupIsOneStepAndGroupsNest() throws {
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database)
    try insert(1, undo)
    undo.begin("Several")
    try insert(2, undo)
    undo.begin("Inner")
    try insert(3, undo)
    undo.end()
    try t.script("INSERT INTO A VALUES (9, 'not through the stack')")
    try insert(4, undo)
    undo.end()
    undo.end()
    try insert(5, undo)
    #expect(undo.undoNames == ["Insert 1", "Several", "Insert 5"])
    try undo.undo()
    try undo.undo()
    #expect(try t.rows("SELECT id FROM A") == ["1", "9"])
    try undo.redo()
    #expect(try t.rows("SELECT id FROM A") == ["1", "2", "3", "4", "9"])
  }

  @Test func writesThatChangeNothingOrFailAreNoSteps() async throws {
    struct Stop: Error {}
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database)
    try insert(1, undo)
    try await undo.undo()
    try await undo.write("Nothing") { try $0.execute("DELETE FROM A") }
    await #expect(throws: Stop.self) {
      try await undo.write("Failing") { connection in
        try connection.execute("INSERT INTO A VALUES (2, 2)")
        throw Stop()
      }
    }
    #expect(!undo.canUndo && undo.redoName == "Insert 1")
    try await undo.redo()
    #expect(try x(t) == ["1"])
    try await undo.undo()
    #expect(try x(t) == [])
  }

  /// A deferred foreign key refuses the commit itself.
  @Test func aCommitThatFailsLeavesTheStack() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE P(id INTEGER PRIMARY KEY); CREATE TABLE C(id INTEGER PRIMARY KEY, p REFERENCES P DEFERRABLE INITIALLY DEFERRED)"
    )
    let undo = try UndoStack(t.database)
    #expect(throws: StoreError.self) { try undo.write("Orphan") { try $0.execute("INSERT INTO C VALUES (1, 1)") } }
    #expect(!undo.canUndo)
    try undo.write("Parent") { try $0.execute("INSERT INTO P VALUES (1)") }
    try t.script("INSERT INTO C VALUES (1, 1)")
    #expect(throws: StoreError.self) { try undo.undo() }
    #expect(undo.undoName == "Parent" && !undo.canRedo)
    try t.script("DELETE FROM C")
    try undo.undo()
    #expect(try t.rows("SELECT * FROM P") == [])
  }

  @Test func aConflictLeavesTheStackAndForceGoesOn() throws {
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database)
    try insert(1, undo)
    try t.script("UPDATE A SET x = 'theirs'")
    let error = #expect(throws: ChangelogError.self) { try undo.undo() }
    #expect(error?.code == .undoConflict && undo.undoName == "Insert 1" && !undo.canRedo)
    try undo.undo(force: true)
    #expect(try x(t) == [])
    // Redo brings back what the undo deleted.
    try undo.redo()
    #expect(try x(t) == ["'theirs'"])
  }

  @Test func onlySoManyStepsAreKept() throws {
    let t = try TrackedDatabase(Self.schema)
    let undo = try UndoStack(t.database, limit: 2)
    for id in 1...4 { try insert(id, undo) }
    #expect(undo.undoNames == ["Insert 3", "Insert 4"])
    try undo.undo()
    try undo.undo()
    #expect(try x(t) == ["1", "2"] && !undo.canUndo)
    undo.removeAll()
    #expect(!undo.canRedo)
  }

  @Test func manyThreadsAtOnceDoNotMixItUp() async throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(Self.schema, path: file.path)
    let undo = try UndoStack(t.database)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for step in 0..<10 {
            let id = task * 100 + step
            try await undo.write("\(id)") { try $0.execute("INSERT INTO A VALUES (\(id), 0)") }
            if step % 3 == 0 {
              do { try await undo.undo() } catch let error as ChangelogError where error.code == .nothingToUndo {}
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let names = Set(try t.rows("SELECT id FROM A"))
    #expect(Set(undo.undoNames) == names)
    while undo.canUndo { try await undo.undo() }
    #expect(try t.rows("SELECT id FROM A") == [])
  }

  /// `DIMPLE_REPLAY_RUNS` and `DIMPLE_REPLAY_SEED` as in `ReplayTests`.
  @Test func randomOperationsUndoneAreTheStateBeforeAndRedoneTheStateAfter() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["DIMPLE_REPLAY_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    for number in 0..<(environment["DIMPLE_REPLAY_RUNS"].flatMap { Int($0) } ?? 10) {
      try run(seed: first &+ UInt64(number))
    }
  }

  private func run(seed: UInt64) throws {
    var operations = RandomOperations(seed: seed)
    let t = try TrackedDatabase(RandomOperations.schema)
    let undo = try UndoStack(t.database)
    func state() throws -> [[[SQLValue]]] {
      try RandomOperations.tables.map { name in
        let order = try t.table(name).keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
        return try t.database.read { connection in
          try connection.rows("SELECT * FROM \(raw: name) ORDER BY \(raw: order)")
            .map { row in row.columnNames.indices.map { row[$0] } }
        }
      }
    }
    // What was there before the stack.
    for _ in 0..<5 { try operations.transaction(t.database) }
    var states = [try state()]
    while states.count < 15 {
      let steps = undo.undoNames.count
      if operations.random.oneIn(3) {
        undo.begin("group")
        for _ in 0..<2 { try operations.transaction(t.database, through: undo) }
        undo.end()
      } else {
        try operations.transaction(t.database, through: undo)
      }
      if undo.undoNames.count > steps { states.append(try state()) }
    }
    // Any suffix, there and back again, and then everything.
    for count in [operations.random.below(states.count), operations.random.below(states.count), states.count - 1] {
      for step in 1...max(1, count) where count > 0 {
        try undo.undo()
        #expect(try state() == states[states.count - 1 - step], "seed \(seed), undo \(step)")
      }
      for step in 0..<count {
        try undo.redo()
        #expect(try state() == states[states.count - count + step], "seed \(seed), redo \(step)")
      }
    }
    #expect(try t.rows("SELECT * FROM pragma_foreign_key_check").isEmpty)
  }
}
