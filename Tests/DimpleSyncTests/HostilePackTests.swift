import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// Packs that a member might put to harm the others: all refused by a typed error, none trusted with memory.
@Suite("Hostile packs")
struct HostilePackTests {
  private let factory = PackFactory()

  private func code(_ lines: String, _ range: ClosedRange<Int64> = 1...1) throws -> SyncError.Code? {
    try factory.code(Array(lines.utf8), range)
  }

  private func line(_ change: String, time: String = "4096") -> String {
    #"{"number":1,"time":\#(time),"changes":[\#(change)]}"# + "\n"
  }

  @Test(arguments: [
    "-1", "1152921504606846976", "9223372036854775807", "9223372036854775808", "1e3", "1.0", "null", "",
  ])
  func absurdTimesAreRefused(time: String) throws {
    let change = #"{"table":"T","op":"delete","key":[1]}"#
    #expect(try code(factory.signed(line(change, time: time), 1...1)) == .damagedObject)
  }

  @Test(arguments: ["0", "-1", "1152921504606846975", "9223372036854775807", "1.5", "[]"])
  func absurdTicksAreRefused(ticks: String) throws {
    let change = #"{"table":"T","op":"delete","key":[1]},{"table":"T","op":"delete","ticks":\#(ticks),"key":[1]}"#
    #expect(try code(factory.signed(line(change), 1...1)) == .damagedObject)
  }

  @Test func rangesNearTheGreatestNumberDoNotTrap() async throws {
    let last = Int64.max
    let change = #"{"table":"Item","op":"insert","key":["x"],"columns":{"a":1}}"#
    let lines = #"{"number":\#(last),"time":4096,"changes":[\#(change)]}"# + "\n"
    let signed = Array(try factory.signed(lines, last...last, salts: ["Item"]).utf8)
    #expect(try factory.code(signed, last...last) == nil)
    let storage = MemoryStorage([try factory.key(signed, last...last): try Gzip.compress(signed)])
    let replica = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
    #expect(try await replica.engine.sync().pulledTransactions == 1)
    #expect(try await replica.engine.sync().pulledTransactions == 0)
    #expect(try code(factory.signed(line(change), 1 ... .max, salts: ["Item"]), 1 ... .max) == .damagedObject)
  }

  @Test func deepJSONIsRefused() throws {
    for deep in [String(repeating: "[", count: 1 << 20), String(repeating: #"{"a":"#, count: 1 << 18)] {
      #expect(
        try code(factory.signed(line(#"{"table":"T","op":"delete","key":[1],"x":\#(deep)}"#), 1...1)) == .damagedObject)
      #expect(try code(deep + "\n") == .damagedObject)
    }
  }

  @Test func aVectorOfAnySizeCostsNoMoreThanItsBytes() throws {
    let change = #"{"table":"T","op":"delete","key":[1]}"#
    let runs = (1...20_000).map { "[\($0 * 2),\($0 * 2)]" }.joined(separator: ",")
    let vector = #"{"0000000000000005":[\#(runs)]}"#
    #expect(try code(factory.signed(line(change), 1...1, vector: vector)) == nil)
    let shuffled = (1...20_000).reversed().map { "[\($0 * 2),\($0 * 2)]" }.joined(separator: ",")
    #expect(try code(factory.signed(line(change), 1...1, vector: #"{"0000000000000005":[\#(shuffled)]}"#)) == nil)
    let huge = (1...100_000).map { "[\($0 * 2),\($0 * 2)]" }.joined(separator: ",")
    #expect(
      try code(factory.signed(line(change), 1...1, vector: #"{"0000000000000005":[\#(huge)]}"#)) == .damagedObject)
    for absurd in ["[[0,1]]", "[[2,1]]", "[[1]]", "[[1,2,3]]", "[1]", "1", "[[1,9223372036854775808]]"] {
      #expect(
        try code(factory.signed(line(change), 1...1, vector: #"{"0000000000000005":\#(absurd)}"#)) == .damagedObject)
    }
  }

  @Test func aTransactionOrAHeaderWithoutEndIsRefused() throws {
    let change = #"{"table":"T","op":"delete","key":[1]}"#
    let whole = try factory.signed(line(change), 1...1)
    #expect(try code(String(whole.dropLast())) == .damagedObject)
    #expect(try code(whole + "{}\n") == .damagedObject)
    #expect(try code(whole + "\n") == .damagedObject)
    #expect(try code("") == .damagedObject)
    #expect(try code("\n\n\n") == .damagedObject)
  }

  @Test func aChangeOfATableWithoutASaltIsRefused() throws {
    let change = #"{"table":"U","op":"delete","key":[1]}"#
    #expect(try code(factory.signed(line(change), 1...1, salts: ["T"])) == .damagedObject)
  }

  /// Signed, chained, and still no form that exists: found when it is read, which loses nothing of what came before.
  @Test func whatAMemberWroteWronglyEndsItsPackThere() async throws {
    let good = #"{"table":"Item","op":"insert","key":["x"],"columns":{"a":1}}"#
    let bad = #"{"table":"Item","op":"insert","key":["y"],"columns":{"a":{"blob":"%"}}}"#
    let lines = (1...3).map { #"{"number":\#($0),"time":\#($0 * 4096),"changes":[\#($0 == 2 ? bad : good)]}"# + "\n" }
      .joined()
    let signed = Array(try factory.signed(lines, 1...3, salts: ["Item"]).utf8)
    let storage = MemoryStorage([try factory.key(signed, 1...3): try Gzip.compress(signed)])
    let replica = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
    for expected in [1, 0] {
      let report = try await replica.engine.sync()
      #expect(report.pulledTransactions == expected)
      #expect(report.skipped.map(\.error.code) == [.damagedObject])
    }
    #expect(try await replica.database.query(String.self, "SELECT id FROM Item") == ["x"])
  }

  // MARK: - Size

  @Test func aBombIsRefusedBeforeItUnfolds() throws {
    // What a writer of this library never makes: 64 MiB of one byte, in 64 KiB.
    let bomb = try GzipBomb.make(size: 64 << 20)
    #expect(bomb.count < 100_000)
    let reader = try GzipReader(bomb, maximumSize: .max)
    var size = 0
    #expect(throws: SyncError.self) { while try reader.read({ size += $0.count }) {} }
    #expect(size <= GzipReader.limit(folded: bomb.count))
    #expect(throws: SyncError.self) { try Gzip.decompress(bomb, maximumSize: 1_000_000) }
  }

  @Test func whatIsWorthNothingIsNotFoldedIntoABomb() throws {
    let bytes = [UInt8](repeating: 0, count: 20 << 20)
    let folded = try Gzip.compress(bytes)
    #expect(bytes.count <= GzipReader.limit(folded: folded.count))
    #expect(try Gzip.decompress(folded, maximumSize: bytes.count) == bytes)
  }

  @Test func aPackLongerThanItsListingIsNotTaken() async throws {
    let storage = MemoryStorage()
    let replica = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
    let name = PackName(replica: ReplicaID(rawValue: 9), range: 1...1, contentHash: [UInt8](repeating: 0, count: 32))
    let key = PackName.prefix + (try TransparentVault().sealName(name.record))
    try await storage.put(key, [UInt8](repeating: 0, count: 1 << 20))
    let lying = LyingStorage(storage, sizes: [key: 5])
    let engine = SyncEngine(replica.database, storage: lying, vault: TransparentVault())
    let report = try await engine.sync()
    #expect(report.skipped.count == 1)
    #expect((report.skipped.first?.error.underlying as? RemoteError)?.code == .tooLarge)
    #expect(report.traffic.bytesReceived == 0)
    for size in [Int64.max, -1, .min] {
      let absurd = SyncEngine(
        replica.database, storage: LyingStorage(storage, sizes: [key: size]), vault: TransparentVault())
      #expect(try await absurd.sync().skipped.count == 1)
    }
  }
}
