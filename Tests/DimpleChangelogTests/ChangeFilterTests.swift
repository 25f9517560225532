import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite("Changes by a filter")
struct ChangeFilterTests {
  private func filled() throws -> TrackedDatabase {
    let t = try TrackedDatabase(
      "CREATE TABLE A(id INTEGER PRIMARY KEY, x, y); CREATE TABLE B(k, l, z, PRIMARY KEY(k, l))")
    for sql in [
      "INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0)", "UPDATE A SET y = 1 WHERE id = 1",
      "INSERT INTO B VALUES (1, 2, 3)",
      "UPDATE A SET x = 'c' WHERE id = 1; UPDATE B SET z = 4", "DELETE FROM A WHERE id = 2",
    ] {
      t.clock.advance(milliseconds: 10)
      try t.script(sql)
    }
    return t
  }

  private func log(_ filter: ChangeFilter, order: ChangeOrder = .oldestFirst, limit: Int? = nil) throws -> [String] {
    let t = try filled()
    return try t.changelog.changes(matching: filter, order: order, limit: limit).map(describe)
  }

  @Test func everythingWithoutACondition() throws {
    let t = try filled()
    #expect(try t.changelog.changes(matching: ChangeFilter()) == t.changes())
  }

  @Test func byTableInAnyCase() throws {
    #expect(try log(ChangeFilter(tables: ["b"])) == ["insert B[1,2] z=3", "update B[1,2] z=4"])
    #expect(try log(ChangeFilter(tables: ["C"])) == [])
  }

  @Test func byRow() throws {
    let filter = ChangeFilter(tables: ["A"], key: [.integer(2)])
    #expect(try log(filter) == ["insert A[2] x='b' y=0", "delete A[2]"])
    #expect(try log(ChangeFilter(key: [.integer(1), .integer(2)])).count == 2)
    #expect(try log(ChangeFilter(key: [.real(1)])) == [])
  }

  @Test func byColumnADeleteCountingAsAll() throws {
    #expect(
      try log(ChangeFilter(tables: ["A"], columns: ["Y"]))
        == ["insert A[1] x='a' y=0", "insert A[2] x='b' y=0", "update A[1] y=1", "delete A[2]"])
  }

  @Test func byAuthor() throws {
    let t = try filled()
    #expect(try t.changelog.changes(matching: ChangeFilter(author: t.changelog.replicaID)).count == 7)
    #expect(try t.changelog.changes(matching: ChangeFilter(author: ReplicaID(rawValue: 7))) == [])
  }

  @Test func byTransaction() throws {
    let t = try filled()
    // The tables were made in one that changed no row, and has no number.
    #expect(try log(ChangeFilter(transactions: 2...3)) == ["update A[1] y=1", "insert B[1,2] z=3"])
    #expect(try t.changelog.changes(matching: ChangeFilter(transactions: 6...Int64.max)) == [])
    #expect(try t.changelog.changes(matching: ChangeFilter(transactions: Int64.min...1)).count == 2)
  }

  @Test func byTime() throws {
    let t = try filled()
    let times = try t.changes().map(\.stamp.time)
    let found = try t.changelog.changes(matching: ChangeFilter(times: times[2]...times[3]))
    #expect(found == Array(try t.changes()[2...3]))
    let dates = times[2].date...times[3].date
    let range = HybridTime(milliseconds: times[2].milliseconds)...HybridTime(endOf: dates.upperBound)
    #expect(try t.changelog.changes(matching: ChangeFilter(times: range)) == found)
  }

  @Test func anyDateIsATime() {
    #expect(HybridTime(endOf: Date(timeIntervalSince1970: -5)).milliseconds == 0)
    #expect(HybridTime(endOf: .distantFuture) < HybridTime(milliseconds: 1 << 48 - 1))
    #expect(HybridTime(endOf: Date(timeIntervalSince1970: .infinity)) == HybridTime.maximum)
    #expect(HybridTime(endOf: Date(timeIntervalSince1970: .nan)).milliseconds == 0)
  }

  @Test(arguments: [0, 1, 3, 7, 100])
  func limitsCountChangesFromEitherEnd(limit: Int) throws {
    let all = try log(ChangeFilter())
    #expect(try log(ChangeFilter(), limit: limit) == Array(all.prefix(limit)))
    #expect(try log(ChangeFilter(), order: .newestFirst, limit: limit) == Array(all.reversed().prefix(limit)))
  }

  @Test func readsInATaskToo() async throws {
    let t = try filled()
    let found = try await t.changelog.changes(matching: ChangeFilter(tables: ["B"]), order: .newestFirst, limit: 1)
    #expect(found.map(describe) == ["update B[1,2] z=4"])
  }

  @Test func withoutADatabaseIsAnError() {
    let error = #expect(throws: ChangelogError.self) { try Changelog().changes(matching: ChangeFilter()) }
    #expect(error?.code == .notAttached)
  }
}
