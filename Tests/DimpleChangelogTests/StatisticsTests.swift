import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("The log's size")
struct StatisticsTests {
  @Test func byTable() async throws {
    let t = try TrackedDatabase("CREATE TABLE A(id INTEGER PRIMARY KEY, x); CREATE TABLE B(id INTEGER PRIMARY KEY)")
    try t.script("INSERT INTO A VALUES (1, 'abcdefgh'), (2, NULL)")
    t.clock.advance(milliseconds: 5)
    try t.script("UPDATE A SET x = 'b' WHERE id = 1; INSERT INTO B VALUES (1)")
    try t.script("DELETE FROM A WHERE id = 2; UPDATE A SET id = 3; DROP TABLE B")
    let statistics = try await t.changelog.statistics()
    #expect(statistics.changes == 7 && statistics.logRows == 3 && statistics.transactions == 1...3)
    #expect(statistics.tables.map(\.name) == ["A", "B"] && statistics.tables.map(\.isGone) == [false, true])
    let a = try #require(statistics.tables.first)
    #expect([a.inserts, a.updates, a.deletes, a.changes] == [3, 1, 2, 6])
    let times = try t.changes().map(\.stamp.time)
    #expect(statistics.times == times[0]...times[6])
    #expect(statistics.tables[1].times == times[3]...times[3])
    // Seven bytes of values at least, and no more than the log holds.
    let bytes = statistics.tables.reduce(0) { $0 + $1.valueBytes }
    #expect(a.valueBytes > 8 && bytes <= statistics.logBytes && statistics.logBytes < 200)
    #expect(statistics.mergeBytes == 0)
  }

  @Test func ofAnEmptyLog() throws {
    let statistics = try TrackedDatabase().changelogStatistics()
    #expect(statistics.changes == 0 && statistics.transactions == nil && statistics.times == nil)
    #expect(statistics.tables == [] && statistics.logBytes == 0)
  }
}

extension TrackedDatabase {
  fileprivate func changelogStatistics() throws -> ChangelogStatistics { try changelog.statistics() }
}
