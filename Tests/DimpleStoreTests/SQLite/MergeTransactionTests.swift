import DimpleStore
import Testing

@Suite struct MergeTransactionTests {
  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write { connection in
      try connection.script(
        """
        CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p (id));
        CREATE TABLE fired (n); CREATE TRIGGER r AFTER INSERT ON c BEGIN INSERT INTO fired VALUES (NEW.id); END;
        """)
      try connection.withInternalAccess { try connection.script("CREATE TABLE dimple_state (n)") }
    }
  }

  private func expectNormal() throws {
    #expect(storeError { try db.execute("INSERT INTO c VALUES (9, 999)") }?.code == .foreignKeyConstraint)
    let before = try db.queryOne(Int.self, "SELECT count(*) FROM fired") ?? -1
    try db.execute("INSERT INTO c (p) VALUES (NULL)")
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM fired") == before + 1)
    #expect(storeError { try db.execute("INSERT INTO dimple_state VALUES (1)") }?.code == .notAllowed)
  }

  @Test func rowsAreTakenOverAsTheyAre() throws {
    try expectNormal()
    try db.withMergeTransaction { connection in
      try connection.execute("INSERT INTO c VALUES (100, 999)")
      try connection.execute("INSERT INTO dimple_state VALUES (1)")
    }
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM fired WHERE n = 100") == 0)
    #expect(try db.queryOne(Int.self, "SELECT p FROM c WHERE id = 100") == 999)
    try expectNormal()
  }

  @Test func everythingIsRestoredAfterAnError() throws {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try db.withMergeTransaction { connection in
        try connection.execute("INSERT INTO c VALUES (100, 999)")
        throw Stop()
      }
    }
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM c WHERE id = 100") == 0)
    try expectNormal()
  }

  @Test func theAsyncFormIsTheSame() async throws {
    try await db.withMergeTransaction { _ = try $0.execute("INSERT INTO c VALUES (100, 999)") }
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM c WHERE p = 999") == 1)
  }

  @Test func itIsNotNestedEither() {
    #expect(storeError { try db.write { _ in try db.withMergeTransaction { _ in } } }?.code == .nestedTransaction)
  }
}
