import DimpleStore
import Foundation
import Testing

/// Ids of several columns, what of a row is written, and rows found by other keys.
@Suite struct EntityKeysTests {
  struct Entry: Entity, Equatable {
    struct ID: CompositeID {
      static let columns = ["list", "position"]
      var list: String
      var position: Int
    }
    var position: Int
    var text: String
    var list: String
    var id: ID { ID(list: list, position: position) }
  }

  struct User: Entity, Equatable {
    var id = UUIDv7()
    var email: String
    var name: String
    var visits = 0
  }

  struct Counter: Entity, Equatable {
    var id: Int64?
    var name: String
  }

  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write { connection in
      try connection.script(
        """
        CREATE TABLE Entry (list TEXT, position INTEGER, text TEXT, PRIMARY KEY (list, position)) WITHOUT ROWID;
        CREATE TABLE User (id TEXT PRIMARY KEY, email TEXT UNIQUE, name TEXT, visits INTEGER);
        CREATE TABLE Counter (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        """)
    }
  }

  @Test func aCompositeIDFindsUpdatesAndDeletes() async throws {
    var entry = try await db.insert(Entry(position: 1, text: "a", list: "x"))
    try await db.insert(Entry(position: 2, text: "b", list: "x"))
    #expect(try await db.find(Entry.self, id: Entry.ID(list: "x", position: 2))?.text == "b")
    #expect(try await db.find(Entry.self, id: Entry.ID(list: "y", position: 2)) == nil)
    entry.text = "c"
    #expect(try await db.save(entry) == entry)
    entry.text = "d"
    #expect(try await db.update(entry) == entry)
    try await db.save(contentsOf: [entry, Entry(position: 3, text: "e", list: "x")])
    #expect(try await db.query(String.self, "SELECT text FROM Entry ORDER BY position") == ["d", "b", "e"])
    #expect(try await db.delete(entry))
    #expect(try await db.delete(Entry.self, id: Entry.ID(list: "x", position: 2)))
    #expect(try await db.query(Int.self, "SELECT position FROM Entry") == [3])
  }

  /// A type that is stored as its raw value, like an id of another system's.
  struct Code: RawRepresentable, Codable, Hashable, Sendable, SQLConvertible { var rawValue: String }

  struct Keyed<Key: SQLConvertible & Codable & Hashable & Sendable>: Entity, Equatable {
    static var tableName: String { "Keyed" }
    var id: Key
    var text: String
  }

  private func expectServesAsID<Key: SQLConvertible & Codable & Hashable & Sendable>(_ first: Key, _ second: Key) throws
  {
    try db.execute("DROP TABLE IF EXISTS Keyed")
    try db.execute("CREATE TABLE Keyed (id PRIMARY KEY NOT NULL, text TEXT) WITHOUT ROWID")
    let one = try db.save(Keyed(id: first, text: "one"))
    #expect(one == Keyed(id: first, text: "one"))
    try db.insert(contentsOf: [Keyed(id: second, text: "two")])
    #expect(try db.save(Keyed(id: first, text: "changed")).text == "changed")
    #expect(try db.find(Keyed<Key>.self, id: first)?.text == "changed")
    #expect(try db.count("SELECT 1 FROM Keyed WHERE id IN \([first, second])") == 2)
    #expect(storeError { try db.insert(one) }?.code == .uniqueConstraint)
    #expect(try db.delete(Keyed<Key>.self, id: first))
    #expect(try db.query(Keyed<Key>.self, "SELECT * FROM Keyed") == [Keyed(id: second, text: "two")])
  }

  @Test func anyTypeThatIsOneValueServesAsID() throws {
    try expectServesAsID(UUIDv7(), UUIDv7())
    try expectServesAsID(UUID(), UUID())
    try expectServesAsID("o'ne", "")
    try expectServesAsID(Int64.max, Int64.min)
    try expectServesAsID(UInt64.max, 0)
    try expectServesAsID(Code(rawValue: "a"), Code(rawValue: "b"))
  }

  @Test func aCompositeIDThatDoesNotEncodeItsColumnsIsRefused() throws {
    struct Odd: Entity {
      struct ID: CompositeID {
        static let columns = ["a", "b"]
        var a: Int
      }
      var a: Int
      var id: ID { ID(a: a) }
    }
    #expect(storeError { _ = try db.find(Odd.self, id: Odd.ID(a: 1)) }?.code == .unsupportedMapping)
    #expect(storeError { _ = try db.save(Odd(a: 1)) }?.code == .unsupportedMapping)
  }

  @Test func sqliteAssignsAnOptionalIntegerID() throws {
    let first = try db.save(Counter(id: nil, name: "a"))
    let second = try db.insert(Counter(id: nil, name: "b"))
    #expect((first.id, second.id) == (1, 2))
    #expect(try db.save(Counter(id: 2, name: "c")).id == 2)
    #expect(try db.find(Counter.self, id: 2)?.name == "c")
  }

  @Test func onlyChangedColumnsAreWritten() throws {
    try db.write { connection in
      try connection.script(
        """
        CREATE TABLE Seen (name TEXT);
        CREATE TRIGGER seeEmail AFTER UPDATE OF email ON User BEGIN INSERT INTO Seen VALUES ('email'); END;
        CREATE TRIGGER seeName AFTER UPDATE OF name ON User BEGIN INSERT INTO Seen VALUES ('name'); END;
        CREATE TRIGGER seeVisits AFTER UPDATE OF visits ON User BEGIN INSERT INTO Seen VALUES ('visits'); END;
        """)
    }
    var user = try db.save(User(email: "a@b", name: "A"))
    user.name = "B"
    try db.save(user)
    #expect(try db.query(String.self, "SELECT name FROM Seen") == ["name"])
    user.visits = 1
    user.email = "c@d"
    try db.update(user)
    #expect(try db.querySet(String.self, "SELECT name FROM Seen") == ["name", "visits", "email"])
    #expect(try db.count("SELECT name FROM Seen") == 3)
    try db.save(user)
    #expect(try db.count("SELECT name FROM Seen") == 3)
  }

  @Test func aChangeOfAnyColumnIsWritten() throws {
    // Each subset of the columns is a statement of its own.
    var user = try db.save(User(email: "0", name: "0"))
    var random = SeededRandom(seed: 7)
    for step in 1...64 {
      if Bool.random(using: &random) { user.email = "\(step)" }
      if Bool.random(using: &random) { user.name = "\(step)" }
      if Bool.random(using: &random) { user.visits = step }
      #expect(try (step.isMultiple(of: 2) ? db.save(user) : db.update(user)) == user)
    }
  }

  @Test func anUpsertKeepsTheRowsOwnID() throws {
    let first = try db.upsert(User(email: "a@b", name: "A"), conflictingOn: ["email"])
    let second = try db.upsert(User(email: "a@b", name: "B", visits: 2), conflictingOn: ["email"])
    #expect(second == User(id: first.id, email: "a@b", name: "B", visits: 2))
    #expect(try db.upsert(User(email: "a@b", name: "C")).id == first.id)
    #expect(try db.upsert(User(id: first.id, email: "new", name: "C")).email == "new")
    #expect(try db.count(User.self) == 1)
  }

  @Test func anUpsertIsOnlyForTheConflictThatIsMeant() throws {
    let first = try db.insert(User(email: "a@b", name: "A"))
    let clash = storeError { try db.upsert(User(id: first.id, email: "x", name: "B"), conflictingOn: ["email"]) }
    #expect(clash?.code == .uniqueConstraint)
    let noIndex = storeError { try db.upsert(User(email: "x", name: "B"), conflictingOn: ["name"]) }
    #expect(noIndex?.code == .sqlError)
    #expect(try db.query(User.self, "SELECT * FROM User") == [first])
  }

  @Test func anUpsertOfTheKeyAloneReturnsTheRow() throws {
    try db.execute("CREATE TABLE Tag (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    struct Tag: Entity, Equatable {
      var id: Int64?
      var name: String
    }
    let tag = try db.upsert(Tag(id: nil, name: "x"), conflictingOn: ["name"])
    #expect(try db.upsert(Tag(id: nil, name: "x"), conflictingOn: ["name"]) == tag)
    #expect(try db.upsert(Tag(id: nil, name: "y"), conflictingOn: ["name"]).id == 2)
  }

  @Test func whatMustExistIsRequired() async throws {
    let user = try await db.save(User(email: "a", name: "A"))
    #expect(try await db.require(User.self, id: user.id) == user)
    let error = await storeError { _ = try await db.require(User.self, id: UUIDv7()) }
    #expect(error?.code == .rowNotFound)
    #expect(error?.operation == "find User")
  }
}
