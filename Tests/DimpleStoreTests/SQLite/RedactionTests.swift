import DimpleStore
import Testing

/// Values stay out of errors unless asked for, also where SQLite quotes them in its message.
@Suite struct RedactionTests {
  private static let wrongQueries: [SQL] = [
    "SELECT * FROM doc WHERE doc MATCH \("topsecret AND \"")",
    "SELECT * FROM doc WHERE doc MATCH \("topsecret: x")",
    "SELECT json_extract('{}', \("$[topsecret"))",
    "INSERT INTO strict VALUES (\("topsecret"))",
    "INSERT INTO checked VALUES (\("topsecret"))",
    "INSERT INTO uniqueText VALUES (\("topsecret")), (\("topsecret"))",
  ]

  private func error(of sql: SQL, showing: Bool) throws -> StoreError? {
    var configuration = Configuration()
    configuration.exposesValuesInErrors = showing
    let db = try Database.inMemory(configuration: configuration)
    try db.write {
      try $0.script(
        """
        CREATE VIRTUAL TABLE doc USING fts5(body); CREATE TABLE strict (n INTEGER) STRICT;
        CREATE TABLE checked (x CHECK (length(x) < 3)); CREATE TABLE uniqueText (x UNIQUE);
        """)
    }
    return storeError { _ = try db.write { try $0.rows(sql) } }
  }

  @Test(arguments: wrongQueries) func valuesAreNotShown(sql: SQL) throws {
    let error = try #require(try error(of: sql, showing: false))
    #expect(!"\(error)".contains("topsecret"), "\(error)")
    #expect(error.message.isEmpty == false)
  }

  @Test(arguments: wrongQueries) func askedForTheyAre(sql: SQL) throws {
    let error = try #require(try error(of: sql, showing: true))
    #expect("\(error)".contains("topsecret"))
  }

  @Test func aNameFromTheStatementIsShown() throws {
    let error = storeError { _ = try Database.inMemory().rows("SELECT * FROM nowhere WHERE x = \("nowhere")") }
    #expect(error?.message.contains("nowhere") == true)
  }
}
