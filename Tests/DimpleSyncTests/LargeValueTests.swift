import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Large values")
struct LargeValueTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)")]
  private let storage = MemoryStorage()

  private func replica(_ storage: (any ObjectStorage)? = nil) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage ?? self.storage, migrations: migrations)
  }

  private func bytes(_ count: Int, seed: UInt64) -> [UInt8] { LargeValues.bytes(count, seed: seed) }

  private func insert(_ id: String, _ value: SQLValue, in replica: SimulatedReplica) async throws {
    try await replica.database.execute("INSERT INTO Item VALUES (\(id), \(value), 1)")
  }

  private func value(_ id: String, in replica: SimulatedReplica) async throws -> SQLValue? {
    try await replica.database.rows("SELECT a FROM Item WHERE id = \(id)").first?[0]
  }

  private func parts() -> [String] { storage.snapshot.keys.filter { $0.hasPrefix("blob/") }.sorted() }

  @Test("Texts and blobs of more than 1 MiB travel in parts of at most 4 MiB, others in the pack")
  func parts() async throws {
    let (one, two) = (try replica(), try replica())
    let blob = SQLValue.blob(bytes(9 << 20, seed: 1))
    let text = SQLValue.text(String(repeating: "größer ", count: 200_000))
    let small = SQLValue.blob(bytes(1 << 20, seed: 2))
    try await insert("blob", blob, in: one)
    try await insert("text", text, in: one)
    try await insert("small", small, in: one)
    let report = try await one.engine.sync()
    #expect(report.pushedParts == 4)
    #expect(parts().count == 4)
    #expect(parts().allSatisfy { (storage.snapshot[$0]?.count ?? 0) < 4 << 20 + 4096 })
    let pulled = try await two.engine.sync()
    #expect(pulled.skipped.isEmpty)
    #expect((pulled.pulledParts, pulled.pulledTransactions) == (4, 3))
    #expect(try await value("blob", in: two) == blob)
    #expect(try await value("text", in: two) == text)
    #expect(try await value("small", in: two) == small)
    #expect(try one.database.fingerprint() == two.database.fingerprint())
    // What is in its row is nowhere else, neither in parts nor in the merged state.
    #expect(try await two.database.queryOne(Int.self, "SELECT count(*) FROM dimple_part") == 0)
    let state = try await two.database.queryOne(Int.self, "SELECT max(length(state)) FROM dimple_row")
    #expect((state ?? .max) < 1000)
    #expect(try await two.engine.verify().findings.map(\.description) == [])
  }

  @Test("A value that the vault has is not sent again, by whomever and in whichever row")
  func once() async throws {
    let (one, two) = (try replica(), try replica())
    let blob = SQLValue.blob(bytes(5 << 20, seed: 3))
    try await insert("x", blob, in: one)
    #expect(try await one.engine.sync().pushedParts == 2)
    try await insert("y", blob, in: one)
    #expect(try await one.engine.sync().pushedParts == 0)
    _ = try await two.engine.sync()
    try await insert("z", blob, in: two)
    #expect(try await two.engine.sync().pushedParts == 0)
    #expect(parts().count == 2)
    _ = try await one.engine.sync()
    #expect(try await value("z", in: one) == blob)
  }

  @Test("A part that is missing or damaged holds its transaction alone, until it is there")
  func missing() async throws {
    let (one, two) = (try replica(), try replica())
    let blob = SQLValue.blob(bytes(5 << 20, seed: 4))
    try await one.database.write { connection in
      try connection.execute("INSERT INTO Item VALUES ('x', \(blob), 1)")
      try connection.execute("INSERT INTO Item VALUES ('with it', 1, 1)")
    }
    try await insert("other", .integer(1), in: one)
    _ = try await one.engine.sync()
    let whole = storage.snapshot
    let part = try #require(parts().first)
    try await storage.delete(part)
    let report = try await two.engine.sync()
    #expect(report.skipped.map(\.key) == [part])
    #expect(report.pulledTransactions == 1)
    #expect(try await two.database.query(String.self, "SELECT id FROM Item") == ["other"])
    #expect(try await two.engine.verify().findings.contains { $0.code == .missingPart && $0.subject == part })
    try await storage.put(part, Array("something else".utf8))
    #expect(try await two.engine.sync().skipped.map(\.key) == [part])
    try await storage.delete(part)
    // Its author has it.
    let repair = try await one.engine.repair()
    #expect(repair.found.findings.map(\.code) == [.missingPart])
    #expect(repair.remaining.isHealthy)
    #expect(Set(storage.snapshot.keys) == Set(whole.keys))
    let last = try await two.engine.sync()
    #expect((last.pulledParts, last.pulledTransactions) == (1, 1))
    #expect(try await value("x", in: two) == blob)
    #expect(try one.database.fingerprint() == two.database.fingerprint())
  }

  @Test("Transfers that are cut off go on where they were, in both directions")
  func resumed() async throws {
    let fault = FaultSchedule { request in
      request.operation != .list && request.key.hasPrefix("blob/") && request.number > 4 ? .failBefore : nil
    }
    let sending = FaultyStorage(storage, schedule: fault)
    let one = try replica(sending)
    let blob = SQLValue.blob(bytes(18 << 20, seed: 5))
    try await insert("x", blob, in: one)
    await #expect(throws: RemoteError.self) { _ = try await one.engine.sync() }
    let sent = parts().count
    #expect((1...4).contains(sent))
    #expect(storage.snapshot.keys.allSatisfy { !$0.hasPrefix("log/") })
    sending.schedule = .none
    #expect(try await one.engine.sync().pushedParts == 5 - sent)
    let receiving = FaultyStorage(storage, schedule: fault)
    let two = try replica(receiving)
    await #expect(throws: RemoteError.self) { _ = try await two.engine.sync() }
    let held = try #require(try await two.database.queryOne(Int.self, "SELECT count(*) FROM dimple_part"))
    #expect((1...4).contains(held))
    receiving.schedule = .none
    #expect(try await two.engine.sync().pulledParts == 5 - held)
    #expect(try await value("x", in: two) == blob)
  }

  @Test("Large values of many transactions are merged a few at a time")
  func sliced() async throws {
    let (one, two) = (try replica(), try replica())
    for index in 0..<6 { try await insert("\(index)", .blob(bytes(9 << 20, seed: UInt64(10 + index))), in: one) }
    _ = try await one.engine.sync()
    let report = try await two.engine.sync()
    #expect((report.pulledTransactions, report.pulledPacks) == (6, 1))
    #expect(try one.database.fingerprint() == two.database.fingerprint())
  }
}
