import DimpleStore
import Testing

@testable import DimpleSync

@Suite struct ColumnDefaultTests {
  @Test(arguments: [
    "NULL", "true", "1", "-1.5e3", "+7", ".5", "0xFF", "'x'", "''", "'it''s'", "x'0aF'", "X''", "'\u{301}a'", "'a'''",
    "'é'",
  ])
  func aLiteralCounts(sql: String) {
    #expect(ColumnDefault(sql: sql) { .text($0) } == (sql == "NULL" ? .constant(.text("NULL")) : .constant(.text(sql))))
  }

  @Test(arguments: [
    "random()", "'a' || 'b'", "(1)", "datetime('now')", "'a' 'b'", "x'zz'", "'", "''' || random() || '''x", "1 + 1",
    "é",
    "'a'\u{301}",
  ])
  func anythingElseIsNoDefault(sql: String) {
    #expect(ColumnDefault(sql: sql) { .text($0) } == .constant(.null))
  }

  @Test func theKeywordsAreTakenFromTheInsert() {
    #expect(ColumnDefault(sql: "current_date") { .text($0) } == .currentDate)
    #expect(ColumnDefault(sql: nil) { .text($0) } == .constant(.null))
  }
}
