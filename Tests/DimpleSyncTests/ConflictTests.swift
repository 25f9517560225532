import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Concurrent writes are told")
struct ConflictTests {
  private func fleet() async throws -> Fleet {
    let fleet = try Fleet(2, "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)")
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 'old', 0)")
    try await fleet.converge()
    return fleet
  }

  private func replica(_ index: Int, _ fleet: Fleet) throws -> ReplicaID {
    try #require(fleet[index].changelog?.replicaID)
  }

  @Test func twoWritesToOneColumnAreToldWithValuesAuthorsAndTimes() async throws {
    let fleet = try await fleet()
    try await fleet[0].execute("UPDATE Item SET a = 'mine'")
    fleet.replicas[1].clock.advance(milliseconds: 1000)
    try await fleet[1].execute("UPDATE Item SET a = 'theirs', b = 1")
    #expect(try await fleet.sync(fleet.replicas[1]).conflicts.isEmpty)
    let report = try await fleet.sync(fleet.replicas[0])
    let conflict = try #require(report.conflicts.first)
    #expect(report.conflictCount == 1 && report.conflicts.count == 1)
    #expect(conflict.table == "Item" && conflict.key == [.text("x")] && conflict.column == "a")
    #expect(conflict.kept.value == .text("theirs") && conflict.lost.value == .text("mine"))
    #expect(try conflict.kept.author == replica(1, fleet) && conflict.lost.author == replica(0, fleet))
    #expect(conflict.lost.time < conflict.kept.time)
    #expect(try fleet.rows("SELECT a FROM Item") == [[.text("theirs")]])
  }

  @Test func anEarlierForeignWriteThatLosesIsToldToo() async throws {
    let fleet = try await fleet()
    try await fleet[1].execute("UPDATE Item SET a = 'theirs'")
    fleet.replicas[0].clock.advance(milliseconds: 1000)
    try await fleet[0].execute("UPDATE Item SET a = 'mine'")
    _ = try await fleet.sync(fleet.replicas[1])
    let conflict = try #require(try await fleet.sync(fleet.replicas[0]).conflicts.first)
    #expect(conflict.kept.value == .text("mine") && conflict.lost.value == .text("theirs"))
  }

  @Test func whoOverwritesWhatItHasSeenIsInNoConflict() async throws {
    let fleet = try await fleet()
    for round in 0..<3 {
      for index in 0..<2 {
        try await fleet[index].execute("UPDATE Item SET a = \(round * 2 + index)")
        #expect(try await fleet.sync(fleet.replicas[index]).conflictCount == 0)
        #expect(try await fleet.sync(fleet.replicas[1 - index]).conflictCount == 0)
      }
    }
  }

  @Test func sameValuesAndOtherColumnsAreNoConflict() async throws {
    let fleet = try await fleet()
    try await fleet[0].execute("UPDATE Item SET a = 'same'")
    try await fleet[1].execute("UPDATE Item SET a = 'same', b = 5")
    _ = try await fleet.sync(fleet.replicas[1])
    #expect(try await fleet.sync(fleet.replicas[0]).conflictCount == 0)
  }

  @Test func aDeleteAgainstAnUpdateIsToldOnWhicheverSideHearsLast() async throws {
    for deleter in 0..<2 {
      let fleet = try await fleet()
      try await fleet[deleter].execute("DELETE FROM Item")
      fleet.replicas[1 - deleter].clock.advance(milliseconds: 1000)
      try await fleet[1 - deleter].execute("UPDATE Item SET b = 7")
      _ = try await fleet.sync(fleet.replicas[1])
      let report = try await fleet.sync(fleet.replicas[0])
      let conflict = try #require(report.conflicts.first { $0.column == "b" })
      #expect(conflict.kept.isDelete && conflict.kept.value == nil)
      #expect(!conflict.lost.isDelete && conflict.lost.value == .integer(7))
      #expect(try conflict.kept.author == replica(deleter, fleet))
    }
  }

  @Test func listenersHearOfThem() async throws {
    let fleet = try await fleet()
    var conflicts = fleet.replicas[0].engine.conflicts.makeAsyncIterator()
    try await fleet[0].execute("UPDATE Item SET a = 1")
    try await fleet[1].execute("UPDATE Item SET a = 2")
    _ = try await fleet.sync(fleet.replicas[1])
    let report = try await fleet.sync(fleet.replicas[0])
    #expect(await conflicts.next() == report.conflicts.first)
  }
}
