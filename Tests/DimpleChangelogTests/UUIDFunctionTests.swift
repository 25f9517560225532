import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite("SQL functions for identifiers")
struct UUIDFunctionTests {
  private static let text = "01931f3a-7c4e-7abc-8000-000000000005"
  private static let milliseconds = 0x0193_1F3A_7C4E

  private func value(_ sql: String) throws -> SQLValue? {
    let t = try TrackedDatabase()
    return try t.database.rows(SQL(raw: "SELECT \(sql)")).first?[0]
  }

  @Test func theTimeOfATextOrABlob() throws {
    #expect(try value("uuid7_time('\(Self.text)')") == .integer(Int64(Self.milliseconds)))
    #expect(try value("uuid7_time(upper('\(Self.text)'))") == .integer(Int64(Self.milliseconds)))
    #expect(try value("uuid7_time(uuid7_blob('\(Self.text)'))") == .integer(Int64(Self.milliseconds)))
    #expect(try value("uuid7_datetime('\(Self.text)')") == .text("2024-11-12 07:15:46.894"))
    #expect(try value("uuid7_datetime('00000000-0000-7000-8000-000000000000')") == .text("1970-01-01 00:00:00.000"))
    // SQLite's own functions read it.
    #expect(
      try value("CAST(round((julianday(uuid7_datetime('\(Self.text)')) - 2440587.5) * 86400) AS INTEGER)")
        == .integer(Int64((Double(Self.milliseconds) / 1000).rounded())))
  }

  @Test func conversionsThereAndBack() throws {
    #expect(try value("uuid7_text(uuid7_blob(upper('\(Self.text)')))") == .text(Self.text))
    #expect(try value("length(uuid7_blob('\(Self.text)'))") == .integer(16))
    #expect(try value("typeof(uuid7_blob('\(Self.text)'))") == .text("blob"))
    #expect(try value("hex(uuid7_blob('\(Self.text)'))") == .text("01931F3A7C4E7ABC8000000000000005"))
    let t = try TrackedDatabase()
    for _ in 0..<100 {
      let id = UUIDv7()
      let row = try #require(
        try t.database.rows("SELECT uuid7_text(uuid7_blob(\(id))), uuid7_time(\(id)) FROM (SELECT 1)").first)
      #expect(row[0] == .text(id.description) && row[1] == .integer(id.milliseconds))
    }
  }

  @Test func aNewOneIsOfNow() throws {
    let before = Int64(Date().timeIntervalSince1970 * 1000)
    guard case .integer(let time) = try value("uuid7_time(uuid7())") else {
      Issue.record("not an integer")
      return
    }
    // Generated ones never go back, and may be ahead where many were made.
    #expect(time >= before)
  }

  @Test(arguments: ["uuid7_time", "uuid7_datetime", "uuid7_blob", "uuid7_text"])
  func nullGivesNullAndAnythingElseIsAnError(function: String) throws {
    #expect(try value("\(function)(NULL)") == .null)
    for bad in [
      "''", "'x'", "1", "1.5", "x''", "zeroblob(16)", "x'00'", "'01931f3a-7c4e-4abc-8000-000000000005'",
      "'01931f3a-7c4e-7abc-0000-000000000005'", "'\(Self.text) '", "'01931f3a7c4e7abc8000000000000005'",
      "CAST('\(Self.text)' AS BLOB)", "'{\(Self.text)}'",
    ] {
      let error = #expect(throws: StoreError.self, "\(bad)") { try value("\(function)(\(bad))") }
      #expect(error?.code == .functionFailed)
      let cause = error?.underlying as? ChangelogError
      #expect(cause?.code == .invalidIdentifier && cause?.hint.isEmpty == false)
    }
    #expect(throws: StoreError.self) { try value("\(function)()") }
    #expect(throws: StoreError.self) { try value("\(function)('\(Self.text)', 1)") }
  }

  @Test func aTimePastTheCalendarIsAnErrorAsText() throws {
    let last = "ffffffff-ffff-7fff-bfff-ffffffffffff"
    #expect(try value("uuid7_time('\(last)')") == .integer(1 << 48 - 1))
    #expect(throws: StoreError.self) { try value("uuid7_datetime('\(last)')") }
  }

  @Test func anIndexMayUseThem() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id TEXT PRIMARY KEY); CREATE INDEX byTime ON T(uuid7_time(id))")
    try t.script("INSERT INTO T VALUES (uuid7()), (uuid7())")
    #expect(try t.rows("SELECT count(*) FROM T INDEXED BY byTime WHERE uuid7_time(id) > 0") == ["2"])
  }
}
