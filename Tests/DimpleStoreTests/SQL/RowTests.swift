import DimpleStore
import Testing

@Suite struct RowTests {
  let row: Row

  init() throws {
    let db = try Database.inMemory()
    row = try #require(db.rows("SELECT 1 AS a, 'x' AS B, NULL AS c, 2 AS a").first)
  }

  @Test func valuesAreFoundByNameInAnyCaseAndByPosition() {
    #expect(row["a"] == .integer(1))
    #expect(row["b"] == .text("x"))
    #expect(row[3] == .integer(2))
    #expect(row.columnNames == ["a", "B", "c", "a"])
  }

  @Test func valuesAreGotAsTypes() throws {
    let a: Int = try row.get("a")
    #expect(a == 1)
    #expect(try row.get("c", as: Int?.self) == nil)
  }

  @Test func aMissingColumnOrAWrongTypeSaysWhere() {
    let missing = storeError { _ = try row.get("d", as: Int.self) }
    #expect(missing?.code == .missingColumn)
    let wrong = storeError { _ = try row.get("b", as: Int.self) }
    #expect(wrong?.code == .typeMismatch)
    #expect(wrong?.operation == "read column 'B' of row 1")
    #expect(wrong?.sql?.hasPrefix("SELECT 1 AS a") == true)
  }

  @Test func itsDescriptionShowsNoValues() {
    #expect(row.description == "Row(a: integer, B: text, c: null, a: integer)")
  }
}
