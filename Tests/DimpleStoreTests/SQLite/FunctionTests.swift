import DimpleStore
import Testing

@Suite struct FunctionTests {
  let db: Database

  struct Refused: Error {}

  init() throws {
    var configuration = Configuration()
    configuration.extensions = [
      RecordingExtension([
        .open: { connection in
          try connection.createFunction("echo", argumentCount: 1, deterministic: true) { $0.setResult($0.value(0)) }
          try connection.createFunction("total", deterministic: true) { call in
            call.setResult(int64: (0..<call.argumentCount).reduce(0) { $0 + call.int64($1) })
          }
          try connection.createFunction("refuse", deterministic: false) { _ in throw Refused() }
          try connection.createFunction("size", argumentCount: 1, deterministic: true) { call in
            call.withBytes(0) { call.setResult(int64: Int64($0.count)) }
          }
        }
      ])
    ]
    db = try Database.inMemory(configuration: configuration)
  }

  @Test(arguments: [
    SQLValue.null, .integer(.min), .real(-0.0), .real(1.5), .text(""), .text("a\0b"), .blob([]), .blob([1, 0]),
    .invalidText([0xFF]),
  ])
  func aValuePassesThroughUnchanged(value: SQLValue) throws {
    #expect(try db.rows("SELECT echo(\(value)) AS x").first?["x"] == value)
  }

  @Test func anyNumberOfArgumentsIsTaken() throws {
    #expect(try db.queryOne(Int.self, "SELECT total(1, 2, 3)") == 6)
    #expect(try db.queryOne(Int.self, "SELECT total()") == 0)
  }

  @Test func bytesAreSeenWithoutACopy() throws {
    #expect(
      try db.query(Int.self, "SELECT size(x'0102') UNION ALL SELECT size('') UNION ALL SELECT size('é')") == [2, 0, 2])
  }

  @Test func whatItThrowsIsTheErrorOfTheStatement() throws {
    let error = storeError { _ = try db.rows("SELECT refuse()") }
    #expect(error?.code == .functionFailed)
    #expect(error?.underlying is Refused)
    #expect(error?.sql == "SELECT refuse()")
    #expect(storeError { _ = try db.rows("SELECT nonsense") }?.code == .sqlError)
  }

  @Test func atTriggersCallItAndItsErrorUndoesTheWrite() throws {
    try db.write {
      try $0.script("CREATE TABLE t (x); CREATE TRIGGER r AFTER INSERT ON t WHEN NEW.x < 0 BEGIN SELECT refuse(); END")
    }
    try db.execute("INSERT INTO t VALUES (1)")
    #expect(storeError { try db.execute("INSERT INTO t VALUES (2), (-1)") }?.code == .functionFailed)
    #expect(try db.query(Int.self, "SELECT x FROM t") == [1])
  }
}
