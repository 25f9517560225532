import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("A row's history")
struct RowHistoryTests {
  struct Todo: Entity, Equatable {
    var id: Int
    var text: String
    var done = false
    var priority: Int?
  }

  struct Short: Entity {
    static var tableName: String { "Todo" }
    var id: Int
    var text: String
    var done: Bool
  }

  private static let schema =
    "CREATE TABLE Todo(id INTEGER PRIMARY KEY, text TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0)"

  private func short(_ version: RowVersion) -> String {
    let values = version.values?.map { "\($0.name)=\(describe($0.value))" }.joined(separator: " ") ?? "–"
    return "\(version.transaction ?? 0) \(version.operation) \(version.changedColumns): \(values)"
  }

  @Test func everyChangeAndWhatTheRowWasAfterIt() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO Todo VALUES (1, 'a', 0), (2, 'x', 0)")
    try t.script("UPDATE Todo SET text = 'b' WHERE id = 1; UPDATE Todo SET text = 'y' WHERE id = 2")
    try t.script("DELETE FROM Todo")
    try t.script("INSERT INTO Todo(id, text) VALUES (1, 'c')")
    let history = try t.changelog.history(of: "todo", key: [1])
    #expect(history.table == "Todo" && history.key == [.integer(1)] && history.isComplete)
    #expect(
      history.versions.map(short) == [
        #"1 insert ["text", "done"]: id=1 text='a' done=0"#, #"2 update ["text"]: id=1 text='b' done=0"#,
        "3 delete []: –", #"4 insert ["text", "done"]: id=1 text='c' done=0"#,
      ])
    #expect(try history.versions.allSatisfy { try $0.author == t.changelog.replicaID })
    #expect(history.versions.map(\.stamp) == history.versions.map(\.stamp).sorted())
  }

  @Test func aRekeyEndsOneRowAndBeginsAnother() throws {
    let t = try TrackedDatabase("CREATE TABLE T(k, l, a, PRIMARY KEY(k, l)) WITHOUT ROWID")
    try t.script("INSERT INTO T VALUES ('x', 1, 'a')")
    try t.script("UPDATE T SET l = 2")
    #expect(try t.changelog.history(of: "T", key: ["x", 1]).versions.map(\.operation) == [.insert, .delete])
    #expect(
      try t.changelog.history(of: "T", key: ["x", 2]).versions.map(short) == [#"2 insert ["a"]: k='x' l=2 a='a'"#])
  }

  @Test func asEntitiesAColumnThatCameLaterHavingItsDefault() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO Todo VALUES (1, 'a', 0)")
    try t.script("UPDATE Todo SET done = 1")
    try t.script("ALTER TABLE Todo ADD COLUMN priority INTEGER DEFAULT 3")
    try t.script("UPDATE Todo SET priority = 4")
    try t.script("DELETE FROM Todo")
    let versions = try t.changelog.history(of: Todo.self, id: 1)
    #expect(
      versions.map(\.value) == [
        Todo(id: 1, text: "a", priority: 3), Todo(id: 1, text: "a", done: true, priority: 3),
        Todo(id: 1, text: "a", done: true, priority: 4), nil,
      ])
  }

  @Test func aTableThatTookADroppedOnesNameHasAHistoryOfItsOwn() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO Todo VALUES (1, 'a', 0)")
    try t.script("DROP TABLE Todo")
    try t.script(Self.schema)
    try t.script("INSERT INTO Todo VALUES (1, 'b', 0)")
    #expect(try t.changelog.history(of: Short.self, id: 1).map(\.value?.text) == ["b"])
  }

  @Test func aColumnThatTookADroppedOnesNameHasAHistoryOfItsOwn() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO Todo VALUES (1, 'a', 1)")
    try t.script("ALTER TABLE Todo DROP COLUMN done; ALTER TABLE Todo ADD COLUMN done BOOLEAN NOT NULL DEFAULT 0")
    #expect(try t.changelog.history(of: Short.self, id: 1).map(\.value?.done) == [false])
  }

  @Test func aRowNeverSeenHasNoVersions() async throws {
    let t = try TrackedDatabase(Self.schema)
    #expect(try await t.changelog.history(of: "Todo", key: [7]).versions == [])
    let wrong = #expect(throws: ChangelogError.self) { try t.changelog.history(of: "Todo", key: [7, 8]) }
    #expect(wrong?.code == .wrongKey)
    #expect(try await t.changelog.history(of: Short.self, id: 7).isEmpty)
  }

  @Test func aTableThatIsNotTrackedIsAnError() throws {
    let t = try TrackedDatabase(Self.schema, untracked: ["Local"])
    try t.script("CREATE TABLE Local(id INTEGER PRIMARY KEY)")
    for name in ["Local", "Missing"] {
      let error = #expect(throws: ChangelogError.self) { try t.changelog.history(of: name, key: [1]) }
      #expect(error?.code == .unknownTable)
    }
  }
}
