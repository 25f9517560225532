import DimpleStore
import Testing

@Suite struct EntityTests {
  let db: Database

  init() throws { db = try Database.inMemory(migrations: [Todo.migration]) }

  @Test func savingInsertsThenUpdates() throws {
    var todo = try db.save(Todo(text: "Build"))
    todo.text = "Ship"
    #expect(try db.save(todo) == todo)
    #expect(try db.query(Todo.self, "SELECT * FROM Todo") == [todo])
  }

  @Test func savingWhatIsStoredAlreadyWritesNothingAndReturnsTheRow() throws {
    let todo = try db.save(Todo(text: "Build"))
    try db.write { connection throws in
      let before = connection.totalChanges
      #expect(try connection.save(todo) == todo)
      #expect(try connection.update(todo) == todo)
      #expect(connection.totalChanges == before)
    }
  }

  struct Loose: Entity, Equatable {
    var id: Int
    var value: String
  }

  @Test func aChangeThatComparisonByCollationWouldMissIsWritten() throws {
    try db.execute("CREATE TABLE Loose (id INTEGER PRIMARY KEY, value TEXT COLLATE NOCASE)")
    try db.save(Loose(id: 1, value: "abc"))
    #expect(try db.save(Loose(id: 1, value: "ABC")).value == "ABC")
    #expect(try db.update(Loose(id: 1, value: "Abc")).value == "Abc")
    #expect(try db.query(String.self, "SELECT value FROM Loose") == ["Abc"])
  }

  struct Number: Entity, Equatable {
    var id: Int
    var value: Double
  }

  @Test func aChangeOfTypeOrOfTheSignOfZeroIsWritten() throws {
    try db.execute("CREATE TABLE Number (id INTEGER PRIMARY KEY, value)")
    try db.execute("INSERT INTO Number VALUES (1, 1), (2, 0.0)")
    try db.save(Number(id: 1, value: 1))
    try db.save(Number(id: 2, value: -0.0))
    #expect(try db.rows("SELECT value FROM Number ORDER BY id").map { $0[0] } == [.real(1), .real(-0.0)])
  }

  @Test func insertingTwiceIsAConstraintError() throws {
    let todo = try db.insert(Todo(text: "Build"))
    let error = storeError { try db.insert(todo) }
    #expect(error?.code == .uniqueConstraint)
    #expect(error?.code.isConstraint == true)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func updatingNeedsTheRow() throws {
    #expect(storeError { try db.update(Todo(text: "Ghost")) }?.code == .rowNotFound)
    #expect(try db.query(Todo.self, "SELECT * FROM Todo").isEmpty)
  }

  @Test func deletingTellsWhetherThereWasARow() throws {
    let todo = try db.save(Todo(text: "Build"))
    #expect(try db.delete(todo))
    #expect(try !db.delete(todo))
  }

  @Test func anEntityIsFoundByItsID() throws {
    let todo = try db.save(Todo(text: "Build"))
    #expect(try db.find(Todo.self, id: todo.id) == todo)
    #expect(try db.find(Todo.self, id: UUIDv7()) == nil)
    let deleted = try db.write { try $0.delete(Todo.self, id: todo.id) }
    #expect(deleted)
  }

  struct Item: Entity, Equatable {
    static let tableName = "item list"
    static let idColumn = "key"
    enum CodingKeys: String, CodingKey {
      case id = "key"
      case note
    }
    var id: Int64?
    var note: String?
  }

  @Test func aGeneratedKeyAndANameToQuoteWork() throws {
    try db.execute("CREATE TABLE \"item list\" (key INTEGER PRIMARY KEY, note TEXT DEFAULT 'none')")
    let item = try db.insert(Item(id: nil, note: nil))
    #expect(item == Item(id: 1, note: nil))
    #expect(try db.save(Item(id: nil, note: "x")).id == 2)
    #expect(try db.update(Item(id: 1, note: "y")).note == "y")
  }

  struct Tag: Entity, Equatable { var id: String }

  @Test func anEntityOfItsIDAloneIsSavedAndUpdated() throws {
    try db.execute("CREATE TABLE Tag (id TEXT PRIMARY KEY)")
    let tag = Tag(id: "a")
    #expect(try db.save(tag) == tag)
    #expect(try db.save(tag) == tag)
    #expect(try db.update(tag) == tag)
  }

  @Test func aTableThatIsMissingSaysSo() {
    struct Nowhere: Entity { var id: Int }
    let error = storeError { try db.save(Nowhere(id: 1)) }
    #expect(error?.code == .sqlError)
    #expect(error?.message.contains("no such table: Nowhere") == true)
  }

  @Test func aTypeThatIsNoRowIsRefused() {
    struct Bare: Entity {
      var id: Int
      init(id: Int) { self.id = id }
      init(from decoder: any Decoder) throws { id = try decoder.singleValueContainer().decode(Int.self) }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(id)
      }
    }
    #expect(storeError { try db.save(Bare(id: 1)) }?.code == .unsupportedMapping)
  }
}
