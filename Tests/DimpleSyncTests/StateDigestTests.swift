import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("The digest of the merged state")
struct StateDigestTests {
  private static let item = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b UNIQUE)"

  private func edited() async throws -> Fleet {
    let fleet = try Fleet(3, Self.item)
    for index in 0..<3 {
      fleet.replicas[index].clock.advance(milliseconds: Int64(index))
      try await fleet[index].execute(
        "INSERT INTO Item VALUES ('all', \(index), \(index)), (\("only\(index)"), 1, 'same')")
    }
    try await fleet[1].execute("DELETE FROM Item WHERE id = 'all'")
    try await fleet[2].execute("UPDATE Item SET a = 7")
    try await fleet.converge()
    return fleet
  }

  @Test func isEqualWhereTheSameWasMerged() async throws {
    let fleet = try await edited()
    let first = try #require(try fleet[0].stateFingerprint())
    #expect(first.description.utf8.count == 32)
    #expect(first.short.utf8.count == 14)
    for index in 1..<3 { #expect(try fleet[index].stateFingerprint() == first) }
    try await fleet[1].execute("UPDATE Item SET a = 8")
    _ = try await fleet.sync(fleet.replicas[1])
    #expect(try fleet[1].stateFingerprint() != first)
  }

  @Test func whatIsKeptIsWhatTheStateAddsUpTo() async throws {
    let fleet = try await edited()
    let kept = try fleet[0].stateFingerprint()
    try await fleet[0].write { connection in
      try connection.withInternalAccess { try SyncSetting.digest.remove(connection) }
    }
    _ = try await fleet.sync(fleet.replicas[0])
    #expect(try fleet[0].stateFingerprint() == kept)
  }

  @Test func anotherStateAfterTheSameChangesIsReportedByName() async throws {
    let fleet = try await edited()
    try await fleet[0].write { connection in
      try connection.withInternalAccess {
        var digest = try #require(try DigestKeeper.stored(connection))
        digest.low &+= 1
        try SyncSetting.digest.set(.blob(digest.bytes), connection)
      }
    }
    try await fleet[1].execute("UPDATE Item SET a = 9")
    _ = try await fleet.sync(fleet.replicas[1])
    let report = try await fleet.sync(fleet.replicas[0])
    let author = try #require(fleet[1].changelog?.replicaID)
    #expect(report.diverged == [author])
    #expect(report.warnings.contains { $0.code == .diverged && $0.message.contains(author.description) })
    #expect(try await fleet.sync(fleet.replicas[2]).diverged.isEmpty)
  }

  @Test func whoHasMergedOtherChangesIsNotCompared() async throws {
    let fleet = try await edited()
    try await fleet[0].execute("UPDATE Item SET a = 1")
    try await fleet[1].execute("UPDATE Item SET a = 2")
    for _ in 0..<3 { for replica in fleet.replicas { #expect(try await fleet.sync(replica).diverged.isEmpty) } }
  }

  @Test func registersCountByNameKeyAndStampAndInAnyOrder() {
    let row = RegisterHash(name: "Item").hashing([1, 2])
    let (one, two) = (RegisterHash.stamp(time: 5, replica: 1), RegisterHash.stamp(time: 5, replica: 2))
    let column = RegisterHash(name: "a")
    var sums: Set<StateDigest> = []
    for register in [column, RegisterHash(name: "b"), .inserted, .deleted] {
      for stamp in [one, two] { sums.insert(row.digest(of: register, stamp: stamp)) }
    }
    #expect(sums.count == 8)
    var (forth, back) = (StateDigest(), StateDigest())
    for digest in sums { forth += digest }
    for digest in sums.reversed() { back += digest }
    #expect(forth == back)
    for digest in sums { back -= digest }
    #expect(back == StateDigest())
  }
}

extension RegisterHash {
  fileprivate func hashing(_ bytes: [UInt8]) -> RegisterHash { bytes.withUnsafeBytes { hashing($0) } }
}
