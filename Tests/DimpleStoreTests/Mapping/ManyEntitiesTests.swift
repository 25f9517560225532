import DimpleStore
import Testing

@Suite("Many entities at once")
struct ManyEntitiesTests {
  private struct Point: Entity, Equatable {
    var id: Int
    var x: Double
    var label: String?
  }

  private func makeDatabase() throws -> Database {
    try Database.inMemory(
      migrations: [
        Migration(
          "create", "CREATE TABLE Point (id INTEGER PRIMARY KEY, x REAL NOT NULL CHECK (x >= 0), label TEXT)")
      ])
  }

  private let points = (1...100).map { Point(id: $0, x: Double($0 % 3), label: $0.isMultiple(of: 2) ? nil : "p") }

  @Test func allAreInserted() async throws {
    let db = try makeDatabase()
    try await db.insert(contentsOf: points)
    #expect(try await db.query(Point.self, "SELECT * FROM Point ORDER BY id") == points)
  }

  @Test func aRefusedOneTakesAllWithIt() throws {
    let db = try makeDatabase()
    let error = #expect(throws: StoreError.self) { try db.insert(contentsOf: points + [Point(id: 1, x: 1)]) }
    #expect(error?.code == .uniqueConstraint)
    #expect(throws: StoreError.self) { try db.save(contentsOf: points + [Point(id: 101, x: -1)]) }
    #expect(try db.query(Point.self, "SELECT * FROM Point").isEmpty)
  }

  @Test func savingInsertsAndUpdatesAndLeavesAloneWhatIsTheSame() throws {
    let db = try makeDatabase()
    try db.insert(contentsOf: points)
    var changed = points
    changed[4].label = "changed"
    changed[5].x = 0
    changed.append(Point(id: 101, x: 1))
    let written = try db.write { connection in
      let before = connection.totalChanges
      try connection.save(contentsOf: changed)
      return connection.totalChanges - before
    }
    #expect(try db.query(Point.self, "SELECT * FROM Point ORDER BY id") == changed)
    // The three, and those with a zero, which is always written: 0.0 and -0.0 compare as equal.
    #expect(written == 3 + points.filter { $0.x == 0 && $0.id != 6 }.count)
  }

  @Test func noneIsNoWrite() throws {
    let db = try makeDatabase()
    try db.insert(contentsOf: [Point]())
    #expect(try db.query(Point.self, "SELECT * FROM Point").isEmpty)
  }
}
