import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// Packs that leave changes out, in vaults that are to get all of them and in those that are not.
@Suite("Gaps in packs")
struct GapTests {
  private let online = Place(id: "online")
  private let stick = Place(id: "stick")

  private func device(_ places: [Place], options: [String: SyncEngine.Options] = [:]) throws -> Traveller {
    try Traveller(
      places,
      migrations: [
        Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)"),
        Migration("2", "CREATE TABLE Secret (id TEXT PRIMARY KEY NOT NULL, a)"),
      ], at: options)
  }

  /// One that leaves a table out of the one vault, and nothing out of the other.
  private func author() throws -> Traveller {
    var options = SyncEngine.Options()
    options.leavesOut = ["secret"]
    return try device([online, stick], options: ["online": options])
  }

  /// What an author sent to the one vault was carried to the other.
  private func carry(_ write: (Traveller) async throws -> Void) async throws -> Traveller {
    let (author, bridge) = (try author(), try device([online, stick]))
    for place in [online, stick] { try await bridge.sync(place) }
    try await write(author)
    try await author.sync(online)
    for place in [online, stick] { try await bridge.sync(place) }
    return author
  }

  /// What is left out of the one vault was carried to the other before its author came there.
  @Test func whatIsLeftOutOfOneVaultStillReachesTheOther() async throws {
    let author = try author()
    let (bridge, away) = (try device([online, stick]), try device([stick]))
    for place in [online, stick] { try await bridge.sync(place) }
    try await author.add("open")
    try await author.add("hidden", to: "Secret")
    try await author.sync(online)
    for place in [online, stick] { try await bridge.sync(place) }
    // It comes without what is hidden, rather than not at all.
    try await away.sync(stick)
    #expect(try away.items() + away.items("Secret") == ["open"])
    #expect(try await author.sync(stick).pushedTransactions == 2)
    let late = try device([stick])
    for device in [bridge, away, late] {
      try await device.sync(stick)
      #expect(try device.items() + device.items("Secret") == ["open", "hidden"])
      // Once.
      #expect(try await device.sync(stick).traffic.requests == 1)
    }
    // The other still gets nothing of it.
    try await bridge.sync(online)
    let stranger = try device([online])
    try await stranger.sync(online)
    #expect(try stranger.items() + stranger.items("Secret") == ["open"])
    #expect(try await stranger.sync(online).traffic.requests == 1)
    // Also where it is joined with others there.
    for index in 0..<10 {
      try await author.add("more \(index)")
      try await author.add("more hidden \(index)", to: "Secret")
      try await author.sync(online)
      #expect(try await stranger.sync(online).pulledTransactions <= 2)
    }
    for device in [author, bridge, away, late] { try await device.sync(stick) }
    for device in [bridge, away, late] { try await device.sync(stick) }
    #expect(try late.items("Secret").count == 11)
    #expect(try late.database.fingerprint() == author.database.fingerprint())
    #expect(try bridge.database.fingerprint() == author.database.fingerprint())
  }

  /// A pack that leaves a table out stands beside one that shows it and cannot be read: it says nothing of the parts in that.
  @Test func whatWasLeftOutElsewhereIsNotSweptAway() async throws {
    let author = try author()
    let (bridge, away) = (try device([online, stick]), try device([stick]))
    for place in [online, stick] { try await bridge.sync(place) }
    try await author.database.execute("INSERT INTO Secret VALUES ('big', \(LargeValues.blob(1)))")
    try await author.sync(online)
    for place in [online, stick] { try await bridge.sync(place) }
    try await away.database.execute("INSERT INTO Item VALUES ('mine', \(LargeValues.blob(2)))")
    try await away.sync(stick)
    let known = stick.storage.snapshot
    try await author.sync(stick)
    let whole = stick.storage.snapshot
    let key = try #require(whole.keys.first { $0.hasPrefix("log/") && known[$0] == nil })
    try await stick.storage.put(key, Array(try #require(whole[key]).dropLast(9)))
    #expect(stick.parts.count == 2)
    for _ in 0..<20 {
      away.replica.clock.advance(milliseconds: LargeValues.day)
      #expect(try await away.attempt(stick).skipped.map(\.key) == [key])
    }
    #expect(stick.parts.count == 2)
    try await stick.storage.put(key, try #require(whole[key]))
    try await away.sync(stick)
    #expect(try away.items("Secret") == ["big"])
  }

  // MARK: - Not all at once

  @Test func whatIsShownWaitsForItsParts() async throws {
    let (author, member) = (try author(), try device([online]))
    try await author.add("hidden", to: "Secret")
    try await author.database.execute("INSERT INTO Item VALUES ('big', \(LargeValues.blob(1)))")
    try await author.sync(online)
    let whole = online.storage.snapshot
    for key in online.parts { try await online.storage.delete(key) }
    #expect(try await member.attempt(online).skipped.count == 1)
    #expect(try member.items() == [])
    online.storage.restore(whole)
    try await member.sync(online)
    #expect(try member.items() == ["big"])
    #expect(try await member.sync(online).traffic.requests == 1)
  }

  @Test func whatIsShownWaitsForItsTime() async throws {
    let (author, member) = (try author(), try device([online]))
    author.replica.clock.advance(milliseconds: 3 * LargeValues.day)
    try await author.add("hidden", to: "Secret")
    try await author.add("open")
    try await author.sync(online)
    #expect(try await member.sync(online).postponedTransactions == 1)
    #expect(try await member.sync(online).traffic.requests == 1)
    member.replica.clock.advance(milliseconds: 3 * LargeValues.day)
    try await member.sync(online)
    #expect(try member.items() == ["open"])
  }

  @Test func whatFillsAGapWaitsForItsParts() async throws {
    let author = try await carry {
      try await $0.database.execute("INSERT INTO Secret VALUES ('big', \(LargeValues.blob(1)))")
    }
    let away = try device([stick])
    try await away.sync(stick)
    try await author.sync(stick)
    let whole = stick.storage.snapshot
    for key in stick.parts { try await stick.storage.delete(key) }
    for _ in 0..<2 { #expect(try await away.attempt(stick).skipped.count == 1) }
    stick.storage.restore(whole)
    try await away.sync(stick)
    #expect(try away.items("Secret") == ["big"])
    #expect(try await away.sync(stick).traffic.requests == 1)
  }

  /// More than are merged at a time.
  @Test(.timeLimit(.minutes(2))) func manyLargeValuesFillGapsOneAfterTheOther() async throws {
    let author = try await carry { author in
      for id in 1...3 {
        let value = SQLValue.blob([UInt8](repeating: UInt8(id), count: 17 << 20))
        try await author.database.execute("INSERT INTO Secret VALUES (\("\(id)"), \(value))")
      }
    }
    let away = try device([stick])
    try await away.sync(stick)
    try await author.sync(stick)
    try await away.sync(stick)
    #expect(try away.items("Secret") == ["1", "2", "3"])
  }

  @Test func packsWithGapsAreCarriedAlsoLater() async throws {
    let (author, bridge) = (try author(), try device([online, stick]))
    try await author.add("hidden", to: "Secret")
    try await author.add("open")
    try await author.sync(online)
    for place in [online, stick, online, stick] { try await bridge.sync(place) }
    let away = try device([stick])
    try await away.sync(stick)
    #expect(try away.items() == ["open"])
  }
}
