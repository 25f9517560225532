import DimpleStore
import Foundation
import Testing

@Suite struct DateTextTests {
  @Test(arguments: [
    (0.0, "1970-01-01 00:00:00.000"), (1_795_428_000, "2026-11-23 10:00:00.000"),
    (-1, "1969-12-31 23:59:59.000"), (951_782_400.5, "2000-02-29 00:00:00.500"),
    (-62_167_219_200, "0000-01-01 00:00:00.000"), (253_402_300_799.999, "9999-12-31 23:59:59.999"),
  ])
  func aDateIsUTCTextWithMilliseconds(seconds: Double, text: String) throws {
    let date = Date(timeIntervalSince1970: seconds)
    #expect(date.sqlValue == .text(text))
    #expect(try Date(sqlValue: .text(text)) == date)
  }

  @Test func sqliteReadsTheTextAsTheSameTime() throws {
    let db = try Database.inMemory()
    var random = SeededRandom(seed: 7)
    for _ in 0..<500 {
      let milliseconds = Int64.random(in: -62_167_219_200_000..<253_402_300_800_000, using: &random)
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      #expect(
        try db.queryOne(String.self, "SELECT strftime('%Y-%m-%d %H:%M:%S', \(date))").map { "\($0)" }
          == date.sqlValue.textPrefix(19))
      #expect(
        try db.queryOne(Int64.self, "SELECT CAST(strftime('%s', \(date)) AS INTEGER)")
          == Int64((Double(milliseconds) / 1000).rounded(.down)))
    }
  }

  @Test func formsThatOtherProgramsWriteAreRead() throws {
    let ten = Date(timeIntervalSince1970: 1_795_428_000)
    for text in [
      "2026-11-23T10:00:00Z", "2026-11-23 10:00", "2026-11-23T11:00:00+01:00", "2026-11-23 04:30:00.000000000000-05:30",
    ] {
      #expect(try Date(sqlValue: .text(text)) == ten, "\(text)")
    }
    #expect(try Date(sqlValue: .text("2026-11-23")) == ten.addingTimeInterval(-36000))
    #expect(try Date(sqlValue: .integer(1_795_428_000)) == ten)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-29", "2026-11-23 25:00", "2026-11-23x", "2026-11-23 10:00:00.", "now",
  ])
  func whatIsNoDateIsRefused(text: String) {
    #expect(storeError { _ = try Date(sqlValue: .text(text)) }?.code == .typeMismatch)
  }

  @Test func datesBeyondTheTextFormAreSecondsAndNotANumberIsNone() throws {
    let far = Date(timeIntervalSince1970: 1e12)
    #expect(far.sqlValue == .real(1e12))
    #expect(try Date(sqlValue: far.sqlValue) == far)
    #expect(Date(timeIntervalSince1970: .nan).sqlValue == .real(.nan))
  }
}

extension SQLValue {
  fileprivate func textPrefix(_ count: Int) -> String? {
    guard case .text(let text) = self else { return nil }
    return String(text.prefix(count))
  }
}
