import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// One database that syncs with several vaults carries between them.
@Suite("Several vaults")
struct RelayTests {
  private static let migrations = [
    Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)"),
    Migration("2", "CREATE TABLE Secret (id TEXT PRIMARY KEY NOT NULL, a)"),
  ]

  private func device(_ places: [Place], options: [String: SyncEngine.Options] = [:]) throws -> Traveller {
    try Traveller(places, migrations: Self.migrations, at: options)
  }

  private let online = Place(id: "online")
  private let stick = Place(id: "stick")

  @Test func aStickCarriesChangesBetweenDevicesThatNeverMeet() async throws {
    let (away, bridge, home) = (try device([stick]), try device([online, stick]), try device([online]))
    try await bridge.sync(online)
    try await bridge.sync(stick)
    try await home.add("from home")
    try await away.add("from away")
    try await home.sync(online)
    try await away.sync(stick)
    // The bridge's own changes need nobody to carry them.
    try await bridge.add("from the bridge")
    try await bridge.sync(online)
    let there = try await bridge.sync(stick)
    #expect(there.relayedPacks == 1)
    let back = try await bridge.sync(online)
    #expect(back.relayedPacks == 1)
    #expect(back.spooledBytes == 0)
    try await home.sync(online)
    try await away.sync(stick)
    #expect(try home.items() == ["from away", "from home", "from the bridge"])
    #expect(try home.database.fingerprint() == away.database.fingerprint())
    #expect(try home.database.fingerprint() == bridge.database.fingerprint())
    // Nothing goes round and round.
    let packs = (online.packs, stick.packs)
    for place in [online, stick, online, stick] {
      let report = try await bridge.sync(place)
      #expect((report.relayedPacks, report.spooledBytes, report.traffic.gets) == (0, 0, 0))
    }
    #expect((online.packs, stick.packs) == packs)
  }

  @Test func aVaultThatComesLaterGetsWhatWasMergedBefore() async throws {
    let (home, bridge) = (try device([online]), try device([online, stick]))
    for index in 0..<3 {
      try await home.add("\(index)")
      try await home.sync(online)
    }
    try await bridge.sync(online)
    try await bridge.sync(stick)
    #expect(stick.packs == 0)
    // Seen already, and fetched again for the stick's sake.
    let again = try await bridge.sync(online)
    #expect((again.traffic.gets, again.pulledTransactions) == (3, 0))
    #expect(again.spooledBytes > 0)
    #expect(try await bridge.sync(online).traffic.gets == 0)
    #expect(try await bridge.sync(stick).relayedPacks == 3)
    let late = try device([stick])
    try await late.sync(stick)
    #expect(try late.items() == ["0", "1", "2"])
  }

  @Test func aPackThatIsDamagedOnItsWayHoldsUpNoOtherAndIsFetchedAgain() async throws {
    let (first, second, bridge) = (try device([online]), try device([online]), try device([online, stick]))
    try await bridge.sync(stick)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    for (device, id) in [(first, "first"), (second, "second")] {
      try await device.add(id)
      try await device.sync(online)
    }
    try await bridge.sync(online)
    try await bridge.database.write { connection in
      try connection.withInternalAccess {
        try connection.execute(
          "UPDATE dimple_spool SET pack = x'1f8b00' WHERE rowid = (SELECT min(rowid) FROM dimple_spool)")
      }
    }
    let report = try await bridge.attempt(stick)
    #expect((report.relayedPacks, report.waitingPacks) == (1, 0))
    #expect(report.skipped.map(\.error.code) == [.damagedObject])
    #expect(report.skipped.allSatisfy { $0.key.hasPrefix("spool/") })
    try await bridge.sync(online)
    #expect(try await bridge.sync(stick).relayedPacks == 1)
    let late = try device([stick])
    try await late.sync(stick)
    #expect(try late.items() == ["first", "second"])
  }

  @Test func aPackIsCarriedAsItIsButForTheVaultsName() async throws {
    let (home, bridge) = (try device([online]), try device([online, stick]))
    try await bridge.sync(stick)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    try await home.add("x")
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    let packs = try [online, stick].map { place in
      let object = try #require(place.storage.snapshot.first { $0.key.hasPrefix("log/") }?.value)
      return String(decoding: try Gzip.decompress(object, maximumSize: 1 << 20), as: UTF8.self)
    }
    #expect(packs[0].contains(#""vault":"online""#))
    #expect(packs[0].replacing(#""vault":"online""#, with: #""vault":"stick""#) == packs[1])
  }

  @Test func theAuthorRecognisesItsOwnPacksWhereSomebodyCarriedThem() async throws {
    let (home, bridge) = (try device([online, stick]), try device([online, stick]))
    try await bridge.sync(stick)
    try await bridge.sync(online)
    try await home.add("x")
    try await home.sync(online)
    for place in [stick, online, stick] { try await bridge.sync(place) }
    #expect(stick.packs == 1)
    let report = try await home.sync(stick)
    #expect((report.pushedTransactions, report.tookNewName) == (0, false))
    #expect(stick.packs == 1)
  }

  @Test func whoMustNotLearnIsNotTold() async throws {
    var options = SyncEngine.Options()
    options.relays = false
    let (home, bridge) = (try device([online]), try device([online, stick], options: ["stick": options]))
    try await home.add("x")
    try await home.sync(online)
    for place in [online, stick, online, stick] { try await bridge.sync(place) }
    #expect(stick.packs == 0)
  }

  /// What is on its way does not arrive, and takes no room.
  @Test(arguments: [false, true]) func whoMustNotLearnAnyMoreIsNotTold(isTarget: Bool) async throws {
    let (home, bridge) = (try device([online]), try device([online, stick]))
    for place in [online, stick] { try await bridge.sync(place) }
    try await home.add("x")
    try await home.sync(online)
    try await bridge.sync(online)
    var options = SyncEngine.Options()
    options.relays = false
    let place = isTarget ? stick : online
    let off = SyncEngine(bridge.database, storage: place.storage, vault: place.vault, options: options)
    #expect(try await off.sync().spooledBytes == 0)
    try await bridge.sync(isTarget ? online : stick)
    #expect(stick.packs == 0)
  }

  /// Merged before the other vault was known, and larger than the spool.
  @Test func aPackThatDoesNotFitKeepsNoOtherBack() async throws {
    var options = SyncEngine.Options()
    options.maximumSpoolSize = 1500
    let home = try device([online])
    let bridge = try device([online, stick], options: ["online": options, "stick": options])
    try await home.database.execute("INSERT INTO Item VALUES ('big', hex(randomblob(3000)))")
    try await home.sync(online)
    for id in ["1", "2"] {
      try await home.add(id)
      try await home.sync(online)
    }
    for _ in 0..<4 { for place in [online, stick] { try await bridge.sync(place) } }
    let late = try device([stick])
    try await late.sync(stick)
    #expect(try late.items() == ["1", "2"])
  }

  @Test func theSpoolIsBoundedAndDrains() async throws {
    var options = SyncEngine.Options()
    options.maximumSpoolSize = 1500
    let home = try device([online])
    let bridge = try device([online, stick], options: ["online": options, "stick": options])
    try await bridge.sync(online)
    try await bridge.sync(stick)
    for index in 0..<7 {
      try await home.add("\(index)")
      try await home.sync(online)
    }
    var largest: Int64 = 0
    var relayed = 0
    for _ in 0..<8 {
      largest = max(largest, try await bridge.sync(online).spooledBytes)
      relayed += try await bridge.sync(stick).relayedPacks
    }
    #expect(largest > 0 && largest <= 1500)
    #expect(relayed == 7)
  }

  // MARK: - Left out

  @Test func aTableLeftOutIsInTheOneVaultAndNotInTheOther() async throws {
    var options = SyncEngine.Options()
    options.leavesOut = ["secret"]
    let author = try device([online, stick], options: ["stick": options])
    try await author.add("open")
    try await author.add("hidden", to: "Secret")
    try await author.sync(online)
    try await author.sync(stick)
    let member = try device([online, stick])
    try await member.sync(stick)
    #expect(try member.items() == ["open"])
    #expect(try member.items("Secret").isEmpty)
    let pack = try #require(stick.storage.snapshot.first { $0.key.hasPrefix("log/") }?.value)
    let text = String(decoding: try Gzip.decompress(pack, maximumSize: 1 << 20), as: UTF8.self)
    #expect(!text.contains("Secret") && !text.contains("hidden"))
    // The same transactions, in full, from the other vault.
    try await member.sync(online)
    #expect(try member.items("Secret") == ["hidden"])
    // And the other way round: what is known in full is not lost by what is less.
    try await member.sync(stick)
    #expect(try member.items("Secret") == ["hidden"])
  }

  @Test func noSnapshotTellsAVaultWhatIsLeftOutOfIt() async throws {
    var whole = SyncEngine.Options()
    whole.smallestSnapshot = 1
    var partial = whole
    partial.leavesOut = ["Secret"]
    let author = try device([online, stick], options: ["online": whole, "stick": partial])
    for number in 0..<40 { try await author.add("hidden \(number)", to: "Secret") }
    for _ in 0..<2 {
      try await author.sync(online)
      try await author.sync(stick)
    }
    #expect(online.storage.snapshot.contains { $0.key.hasPrefix("snap/") }, "a snapshot is due")
    #expect(!stick.storage.snapshot.contains { $0.key.hasPrefix("snap/") })
  }

  /// Its state lacks what its vector says it has: a snapshot would lose that, and the digest is not to be compared.
  @Test("Who was not shown all changes speaks of no whole state", arguments: [false, true], [false, true])
  func notShownAll(isLeftOut: Bool, inOneTransaction: Bool) async throws {
    var (partial, whole) = (SyncEngine.Options(), SyncEngine.Options())
    partial.smallestSnapshot = .max
    if isLeftOut { partial.leavesOut = ["Secret"] }
    whole.smallestSnapshot = 1
    let author = try device([stick], options: ["stick": partial])
    let member = try device([stick], options: ["stick": whole])
    if inOneTransaction {
      try await author.database.write { connection in
        try connection.execute("INSERT INTO Item VALUES ('open', 1)")
        try connection.execute("INSERT INTO Secret VALUES ('hidden', 1)")
      }
    } else {
      try await author.add("open")
      try await author.add("hidden", to: "Secret")
    }
    try await author.sync(stick)
    try await member.sync(stick)
    try await member.add("reply")
    for _ in 0..<2 { try await member.sync(stick) }
    #expect(try member.items() == ["open", "reply"])
    #expect(try member.items("Secret") == (isLeftOut ? [] : ["hidden"]))
    let snapshots = stick.storage.snapshot.keys.filter { $0.hasPrefix("snap/") }
    #expect(snapshots.isEmpty == isLeftOut)
    let header = try header(by: member)
    #expect((header.state == nil) == isLeftOut)
  }

  /// Of the one pack that a device put on the stick.
  private func header(by author: Traveller) throws -> PackHeader {
    let replica = try #require(author.database.changelog?.replicaID)
    var headers: [PackHeader] = []
    for (key, object) in stick.storage.snapshot where key.hasPrefix(PackName.prefix) {
      let record = try #require(stick.vault.openName(String(key.dropFirst(PackName.prefix.count))))
      let name = try #require(PackName(record: record))
      guard name.replica == replica else { continue }
      headers.append(try PackDecoder.decode(object, name: name, vault: stick.vault, maximumSize: 1 << 20).header)
    }
    #expect(headers.count == 1)
    return try #require(headers.first)
  }

  @Test func packsThatShowATableAreNotCarriedWhereItIsLeftOut() async throws {
    var options = SyncEngine.Options()
    options.leavesOut = ["Secret"]
    let home = try device([online])
    let bridge = try device([online, stick], options: ["stick": options])
    try await bridge.sync(online)
    try await bridge.sync(stick)
    try await home.add("hidden", to: "Secret")
    try await home.sync(online)
    try await home.add("open")
    try await home.sync(online)
    try await bridge.sync(online)
    #expect(try await bridge.sync(stick).relayedPacks == 1)
    let late = try device([stick])
    try await late.sync(stick)
    #expect(try late.items() == ["open"])
    #expect(try late.items("Secret").isEmpty)
    // It is not asked for again and again either.
    #expect(try await bridge.sync(online).traffic.gets == 0)
  }

  @Test func aForgedPackIsNotCarried() async throws {
    let (home, bridge) = (try device([online]), try device([online, stick]))
    try await home.add("x")
    try await home.sync(online)
    try await bridge.sync(online)
    try await bridge.sync(stick)
    let replica = try #require(home.database.changelog?.replicaID)
    let mallory = PackFactory(vault: online.vault, replica: replica)
    let change = #"{"table":"Item","op":"insert","key":["forged"],"columns":{"a":1}}"#
    let lines = Array(
      try mallory.signed(#"{"number":2,"time":4096,"changes":[\#(change)]}"# + "\n", 2...2, salts: ["Item"]).utf8)
    try await online.storage.put(mallory.key(lines, 2...2), Gzip.compress(lines))
    let engine = SyncEngine(bridge.database, storage: online.storage, vault: online.vault)
    #expect(try await engine.sync().skipped.map(\.error.code) == [.forgedAuthor])
    #expect(try await bridge.sync(stick).relayedPacks == 1)
    #expect(try bridge.items() == ["x"])
  }
}
