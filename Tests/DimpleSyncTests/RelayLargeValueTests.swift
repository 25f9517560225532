import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// A device that syncs with two vaults carries large values, too: to members of the one who never see the other.
@Suite("Large values between vaults")
struct RelayLargeValueTests {
  private static let migrations = [
    Migration("1", "\(raw: LargeValues.schema)"),
    Migration("2", "CREATE TABLE Keyed (id TEXT PRIMARY KEY NOT NULL, a, b) WITHOUT ROWID"),
  ]

  private func device(
    _ places: [Place], _ options: SyncEngine.Options = .init(), at place: [String: SyncEngine.Options] = [:]
  ) throws -> Traveller {
    try Traveller(places, migrations: Self.migrations, options: options, at: place)
  }

  private let online = Place(id: "online")
  private let stick = Place(id: "stick")

  /// One that knows both vaults, and has nothing to carry yet.
  private func bridge(_ options: SyncEngine.Options = .init()) async throws -> Traveller {
    let bridge = try device([online, stick], options)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    return bridge
  }

  private func blob(_ size: Int, _ seed: UInt64) -> SQLValue { .blob(LargeValues.bytes(size, seed: seed)) }

  @Test func aLargeValueArrivesWhereItsAuthorNeverIs() async throws {
    let (home, bridge, away) = (try device([online]), try await bridge(), try device([stick]))
    let values = [
      blob(9 << 20, 1), .text(String(repeating: "größer ", count: 200_000)),
    ]
    for (index, value) in values.enumerated() { try await home.replica.insert("\(index)", value) }
    try await home.database.execute("INSERT INTO Keyed VALUES ('x', 1, \(blob(5 << 20, 2)))")
    try await home.sync(online)
    #expect(online.parts.count == 6)
    try await bridge.sync(online)
    // The parts are in the rows, and nowhere else.
    #expect(try await bridge.kept() == 0)
    let report = try await bridge.sync(stick)
    #expect((report.relayedPacks, report.pushedParts, report.waitingPacks, report.spooledBytes) == (1, 6, 0, 0))
    #expect(stick.parts == online.parts)
    try await away.sync(stick)
    for (index, value) in values.enumerated() { #expect(try await away.replica.value("\(index)") == value) }
    #expect(try home.database.fingerprint() == away.database.fingerprint())
    #expect(try await away.findings(stick) == [])
    #expect(try await bridge.findings(stick) == [])
    // Nothing is asked again.
    for place in [online, stick, online, stick] { #expect(try await bridge.sync(place).traffic.requests <= 2) }
  }

  @Test func aVaultThatComesLaterGetsThePartsToo() async throws {
    let (home, bridge) = (try device([online]), try device([online, stick]))
    try await home.replica.insert("x", blob(5 << 20, 1))
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    #expect(try await bridge.sync(online).pulledParts == 0)
    #expect(try await bridge.sync(stick).relayedPacks == 1)
    let away = try device([stick])
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == blob(5 << 20, 1))
  }

  @Test func whatIsThereIsNotPutAgain() async throws {
    let (home, bridge, away) = (try device([online]), try await bridge(), try device([stick]))
    try await away.replica.insert("mine", blob(5 << 20, 1))
    try await away.sync(stick)
    for id in ["x", "y"] {
      try await home.replica.insert(id, blob(5 << 20, 1))
      try await home.sync(online)
    }
    try await bridge.sync(online)
    bridge.counts["stick"]?.reset()
    let report = try await bridge.sync(stick)
    #expect((report.relayedPacks, report.pushedParts) == (2, 0))
    let counts = try #require(bridge.counts["stick"]?.counts)
    // Two packs; one listing of packs, and one of parts.
    #expect((counts.puts, counts.lists) == (2, 2))
    try await away.sync(stick)
    #expect(try await away.replica.value("y") == blob(5 << 20, 1))
  }

  @Test("A relay that dies at any put goes on where it was")
  func killed() async throws {
    let (home, bridge, away) = (try device([online]), try await bridge(), try device([stick]))
    try await home.replica.insert("x", blob(9 << 20, 1))
    try await home.sync(online)
    try await bridge.sync(online)
    let storage = try #require(bridge.storages["stick"])
    for parts in 0...3 {
      let allowed = Late<Int>()
      allowed.value = 0
      // One put more than the time before.
      storage.schedule = FaultSchedule { request in
        guard request.operation == .put else { return nil }
        defer { allowed.value = (allowed.value ?? 0) + 1 }
        return allowed.value == 0 && parts > 0 ? nil : .failBefore
      }
      await #expect(throws: RemoteError.self) { _ = try await bridge.attempt(stick) }
      #expect((stick.parts.count, stick.packs) == (parts, 0))
      try await away.sync(stick)
    }
    storage.schedule = .none
    bridge.counts["stick"]?.reset()
    let report = try await bridge.sync(stick)
    #expect((report.relayedPacks, report.pushedParts) == (1, 0))
    #expect(bridge.counts["stick"]?.counts.puts == 1)
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == blob(9 << 20, 1))
  }

  @Test func whatWasOverwrittenBeforeItWasMergedIsKeptForTheOtherVault() async throws {
    let (home, bridge, away) = (try device([online]), try await bridge(), try device([stick]))
    try await home.replica.insert("x", blob(5 << 20, 1))
    try await home.sync(online)
    try await home.set("x", blob(1 << 20 + 1, 2))
    try await home.sync(online)
    let pulled = try await bridge.sync(online)
    // Two parts of the old value, for the stick's sake.
    #expect(try await bridge.database.queryOne(Int.self, "SELECT count(*) FROM dimple_part") == 2)
    #expect(pulled.spooledBytes > 5 << 20)
    #expect(pulled.pulledParts == 3)
    let report = try await bridge.sync(stick)
    #expect((report.relayedPacks, report.pushedParts, report.spooledBytes) == (2, 3, 0))
    #expect(try await bridge.kept() == 0)
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == blob(1 << 20 + 1, 2))
    #expect(try await away.findings(stick) == [])
  }

  @Test func aPackWaitsForWhatWasOverwrittenHereAndHoldsUpNoOther() async throws {
    let (home, bridge, away) = (try device([online]), try await bridge(), try device([stick]))
    try await home.replica.insert("x", blob(5 << 20, 1))
    try await home.sync(online)
    try await home.replica.insert("small", .integer(1))
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.set("x", .integer(0))
    let first = try await bridge.sync(stick)
    #expect((first.relayedPacks, first.waitingPacks, first.pushedParts) == (1, 1, 0))
    #expect(first.warnings.map(\.code) == [.partsNotCarried])
    try await away.sync(stick)
    #expect(try await away.replica.value("small") == .integer(1))
    // The vault that has them is asked, and once only.
    #expect(try await bridge.sync(online).pulledParts == 2)
    #expect(try await bridge.sync(online).traffic.gets == 0)
    let second = try await bridge.sync(stick)
    #expect((second.relayedPacks, second.waitingPacks, second.spooledBytes) == (1, 0, 0))
    #expect(try await bridge.kept() == 0)
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == .integer(0))
    #expect(try await away.findings(stick) == [])
  }

  @Test func aPartThatIsNowhereIsReported() async throws {
    let (home, bridge) = (try device([online]), try await bridge())
    try await home.replica.insert("x", blob(1 << 20 + 1, 1))
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.set("x", .integer(0))
    let part = try #require(online.parts.first)
    try await online.storage.delete(part)
    #expect(try await bridge.attempt(stick).waitingPacks == 1)
    for _ in 0..<2 { #expect(try await bridge.attempt(online).skipped.map(\.key) == [part]) }
    #expect(try await bridge.attempt(stick).waitingPacks == 1)
    // Its author puts it again.
    _ = try await home.engines["online"]?.repair()
    #expect(try await bridge.sync(online).pulledParts == 1)
    #expect(try await bridge.sync(stick).relayedPacks == 1)
  }

  @Test("Overwritten values larger than the spool are carried piece by piece")
  func bounded() async throws {
    var options = SyncEngine.Options()
    options.maximumSpoolSize = 9 << 20
    let (home, bridge, away) = (try device([online]), try await bridge(options), try device([stick]))
    try await home.replica.insert("x", blob(23 << 20, 1))
    try await home.sync(online)
    try await home.set("x", .integer(0))
    try await home.sync(online)
    var rounds = 0
    repeat {
      #expect(try await bridge.sync(online).spooledBytes <= 9 << 20)
      rounds += 1
    } while try await bridge.sync(stick).waitingPacks > 0 && rounds < 10
    // Six parts, two at a time.
    #expect(rounds == 3)
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == .integer(0))
    #expect(try await away.findings(stick) == [])
    #expect(try await bridge.kept() == 0)
  }

  @Test func whereATableIsLeftOutNoPartGoes() async throws {
    var without = SyncEngine.Options()
    without.leavesOut = ["Item"]
    let home = try device([online])
    let bridge = try device([online, stick], at: ["stick": without])
    try await bridge.sync(online)
    try await bridge.sync(stick)
    try await home.replica.insert("x", blob(1 << 20 + 1, 1))
    try await home.sync(online)
    for place in [online, stick, online, stick] { try await bridge.sync(place) }
    #expect((stick.parts.count, stick.packs) == (0, 0))
  }

  @Test func aTableThatIsLeftOutLaterKeepsBackWhatIsOnItsWay() async throws {
    let (home, bridge) = (try device([online]), try await bridge())
    try await home.replica.insert("x", blob(1 << 20 + 1, 1))
    try await home.sync(online)
    #expect(try await bridge.sync(online).spooledBytes > 0)
    var without = SyncEngine.Options()
    without.leavesOut = ["item"]
    let engine = SyncEngine(bridge.database, storage: stick.storage, vault: stick.vault, options: without)
    let report = try await engine.sync()
    #expect((report.relayedPacks, report.waitingPacks, report.spooledBytes) == (0, 0, 0))
    #expect((stick.parts.count, stick.packs) == (0, 0))
  }

  @Test func theSweepKeepsWhatCarriedPacksReferTo() async throws {
    let (home, bridge) = (try device([online]), try await bridge())
    try await home.replica.insert("x", LargeValues.blob(1))
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    // A part that nothing refers to goes, so the sweep does look.
    let orphan = LargeValues.bytes(1 << 20 + 1, seed: 2)
    let hash = SHA256.hash(orphan)
    try await stick.storage.put("blob/" + stick.vault.sealName(hash), Gzip.compress(orphan))
    var removed = 0
    for _ in 0..<20 {
      bridge.replica.clock.advance(milliseconds: LargeValues.day)
      removed += try await bridge.sync(stick).removedParts
    }
    #expect(removed == 1)
    #expect(stick.parts == online.parts)
  }

  @Test func aPartSweptByALookFromBeforeTheCarriedPackIsPutAgain() async throws {
    let (home, bridge) = (try device([online]), try await bridge())
    try await home.replica.insert("x", LargeValues.blob(1))
    try await home.sync(online)
    try await bridge.sync(online)
    // The vault has the part from somebody who died before the pack.
    let part = try #require(online.parts.first)
    try await stick.storage.put(part, try #require(online.storage.snapshot[part]))
    #expect(try await bridge.sync(stick).pushedParts == 0)
    try await stick.storage.delete(part)
    let away = try device([stick])
    #expect(try await away.attempt(stick).skipped.map(\.key) == [part])
    // Nothing is asked before it is time, and nothing after it.
    for (minutes, lists) in [(60, 1), (60, 3), (60, 1)] as [(Int64, Int)] {
      bridge.replica.clock.advance(milliseconds: minutes * 60_000)
      #expect(try await bridge.sync(stick).traffic.lists == lists)
    }
    #expect(stick.parts == [part])
    try await away.sync(stick)
    #expect(try await away.replica.value("x") == LargeValues.blob(1))
  }
}

extension Traveller {
  fileprivate func set(_ id: String, _ value: SQLValue) async throws {
    try await database.execute("UPDATE Item SET a = \(value) WHERE id = \(id)")
  }

  /// What is kept beside the rows.
  fileprivate func kept() async throws -> Int? {
    try await database.queryOne(
      Int.self, "SELECT (SELECT count(*) FROM dimple_part) + (SELECT count(*) FROM dimple_spool_part)")
  }
}
