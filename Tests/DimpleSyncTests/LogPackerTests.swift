import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// The two ways from the log to a pack: straight from its bytes, and by way of transactions.
@Suite("Packs written straight from the log")
struct LogPackerTests {
  private static let schema = """
    CREATE TABLE Note (id TEXT PRIMARY KEY NOT NULL, zeta, alpha, "quo""ted", größe) WITHOUT ROWID;
    CREATE TABLE Pair (a, b, value, PRIMARY KEY (a, b));
    """

  private static func value(_ random: inout SeededRandom) -> SQLValue {
    switch random.below(9) {
    case 0: .null
    case 1: .integer(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
    case 2: .real(Double(random.below(1_000_000)) / 64 - 5000)
    case 3: .real(random.pick([.infinity, -.infinity, -0.0, 1e300, .leastNonzeroMagnitude]) ?? 0)
    case 4: .text(random.pick(["", "a\"b\\c", "tab\there", "日本語\u{7F}", "\u{1}x", "nul\0nul"]) ?? "")
    case 5: .text(random.pick(["0190163d-8694-739b-aea5-966c26f8ad91", "0190163D-8694-739B-AEA5-966C26F8AD91"]) ?? "")
    case 6: .blob((0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case 7: .invalidText([0x61, 0xFF, 0x62])
    default: .text(String(repeating: "x", count: random.below(300)))
    }
  }

  private static func write(_ random: inout SeededRandom, _ connection: Connection) throws {
    let (row, other) = ("\(random.below(12))", "\(random.below(12))")
    switch random.below(7) {
    case 0, 1:
      try connection.execute(
        "INSERT OR REPLACE INTO Note VALUES (\(row), \(value(&random)), \(value(&random)), \(value(&random)), 1)")
    case 2:
      try connection.execute("UPDATE Note SET alpha = \(value(&random)), größe = \(value(&random)) WHERE id = \(row)")
    case 3: try connection.execute("UPDATE OR REPLACE Note SET id = \(other) WHERE id = \(row)")
    case 4: try connection.execute("DELETE FROM Note WHERE id = \(row)")
    case 5:
      try connection.execute(
        "INSERT OR REPLACE INTO Pair VALUES (\(random.below(3)), \(row), \(value(&random)))")
    default:
      try connection.execute(
        "UPDATE OR REPLACE Pair SET value = \(value(&random)), b = \(other) || 'x' WHERE b = \(row)")
    }
  }

  /// - Returns: The lines.
  @discardableResult
  private func expectEqual(_ replica: SimulatedReplica, leavesOut: String? = nil) async throws -> [String] {
    let changelog = try #require(replica.database.extension(Changelog.self))
    let key = [UInt8](repeating: 5, count: 32)
    return try await replica.database.read { connection in
      let identity = try #require(changelog.identities(connection).last)
      let log = OwnLog(identity: identity, signingKey: key, connection: connection, changelog: changelog)
      func builder() -> PackBuilder {
        PackBuilder(before: LogChain.start, signingKey: key) { table, _ in table == leavesOut }
      }
      var (fast, slow) = (builder(), builder())
      let uses = try log.pack(after: 0, into: &fast) { _, _ in true }
      var slowUses: [PartUse] = []
      try log.transactions(after: 0) { transaction in
        slow.append(transaction)
        if let use = PartUse(transaction) { slowUses.append(use) }
        return true
      }
      let (one, two) = try (#require(fast.body), #require(slow.body))
      #expect(one.range == two.range && one.chain == two.chain && one.salts == two.salts && uses == slowUses)
      let lines = try Self.lines(one)
      #expect(try lines == Self.lines(two))
      return lines
    }
  }

  private static func lines(_ body: PackBody) throws -> [String] {
    var bytes: [UInt8] = []
    try body.writeLines { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test(arguments: [1, 2, 3]) func randomWrites(seed: UInt64) async throws {
    print("LogPackerTests: seed \(seed)")
    let replica = try SimulatedReplica(
      storage: MemoryStorage(), migrations: [Migration("schema", "\(raw: Self.schema)")])
    var random = SeededRandom(seed: seed)
    for _ in 0..<150 {
      let count = 1 + random.below(5)
      let start = random
      try await replica.database.write { connection in
        var random = start
        for _ in 0..<count { try Self.write(&random, connection) }
      }
      for _ in 0..<40 { _ = random.next() }
      if random.oneIn(4) { replica.clock.advance(milliseconds: 1) }
    }
    try await expectEqual(replica)
    try await expectEqual(replica, leavesOut: "Pair")
  }

  /// Each transaction by the names that it had, also the large ones between.
  @Test func namesThatChangeOnTheWay() async throws {
    let replica = try SimulatedReplica(
      storage: MemoryStorage(), migrations: [Migration("schema", "\(raw: Self.schema)")])
    _ = try await replica.engine.sync()
    let renames: [SQL] = [
      "ALTER TABLE Pair RENAME TO Couple", "ALTER TABLE Couple RENAME COLUMN value TO worth",
      "ALTER TABLE Couple RENAME TO m; ALTER TABLE Note RENAME TO Couple; ALTER TABLE m RENAME TO Note",
      "ALTER TABLE Note RENAME COLUMN worth TO value; ALTER TABLE Couple RENAME TO Pair",
    ]
    let pairs = ["Pair", "Couple", "Couple", "Note"]
    for (index, rename) in renames.enumerated() {
      for size in [10, BigReference.threshold + 1] {
        try await replica.database.execute(
          "INSERT INTO \(identifier: pairs[index]) VALUES (\(index), \(size), zeroblob(\(size)))")
      }
      try await replica.database.write { try $0.script(rename) }
    }
    let lines = try await expectEqual(replica)
    #expect(
      lines.map { line in ["Pair", "Couple", "Note"].filter { line.contains("\"table\":\"\($0)\"") } }
        == [["Pair"], ["Pair"], ["Couple"], ["Couple"], ["Couple"], ["Couple"], ["Note"], ["Note"]])
    #expect(lines.map { $0.contains("\"value\"") } == [true, true, true, true, false, false, false, false])
    try await expectEqual(replica, leavesOut: "Couple")
  }

  @Test func largeValuesAmongSmallOnes() async throws {
    let replica = try SimulatedReplica(
      storage: MemoryStorage(), migrations: [Migration("schema", "\(raw: Self.schema)")])
    let sizes = [10, BigReference.threshold, BigReference.threshold + 1, 20, BigReference.partSize + 5, 30]
    for (index, size) in sizes.enumerated() {
      try await replica.database.write { connection in
        try connection.execute("INSERT INTO Pair VALUES (1, \(index), 'before')")
        try connection.execute("INSERT INTO Note (id, alpha) VALUES (\("\(index)"), zeroblob(\(size)))")
        try connection.execute("UPDATE Note SET zeta = 'after' WHERE id = \("\(index)")")
      }
    }
    try await expectEqual(replica)
  }

  @Test func aPackEndsWhereItIsToldTo() async throws {
    let replica = try SimulatedReplica(
      storage: MemoryStorage(), migrations: [Migration("schema", "\(raw: Self.schema)")])
    for row in 0..<10 { try await replica.database.execute("INSERT INTO Pair VALUES (1, \(row), 'x')") }
    let changelog = try #require(replica.database.extension(Changelog.self))
    try await replica.database.read { connection in
      let identity = try #require(changelog.identities(connection).last)
      let log = OwnLog(
        identity: identity, signingKey: [UInt8](repeating: 5, count: 32), connection: connection, changelog: changelog)
      var builder = PackBuilder(before: LogChain.start, signingKey: log.signingKey)
      _ = try log.pack(after: 2, into: &builder) { $1 < 7 }
      #expect(builder.body?.range == 3...7)
      builder = PackBuilder(before: LogChain.start, signingKey: log.signingKey)
      _ = try log.pack(after: 20, into: &builder) { _, _ in true }
      #expect(builder.body == nil)
    }
  }
}
