import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Foundation
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

  private func itemReplica(_ storage: any ObjectStorage, path: String? = nil) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, path: path, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
  }

  @Test func rangesNearTheGreatestNumberDoNotTrap() async throws {
    let last = Int64.max - 1
    let change = #"{"table":"Item","op":"insert","key":["x"],"columns":{"a":1}}"#
    let lines = #"{"number":\#(last),"time":4096,"changes":[\#(change)]}"# + "\n"
    let signed = Array(try factory.signed(lines, last...last, salts: ["Item"]).utf8)
    #expect(try factory.code(signed, last...last) == nil)
    let storage = MemoryStorage([try factory.key(signed, last...last): try Gzip.compress(signed)])
    let replica = try itemReplica(storage)
    #expect(try await replica.engine.sync().pulledTransactions == 1)
    #expect(try await replica.engine.sync().pulledTransactions == 0)
    #expect(try await replica.engine.verify().checkedTransactions == 1)
    #expect(try code(factory.signed(line(change), 1 ... .max, salts: ["Item"]), 1 ... .max) == .damagedObject)
    // There is none after the last.
    #expect(PackName(record: factory.name(signed, .max ... .max).record) == nil)
  }

  /// A database with a former name counts others' claims about it from where the present one begins.
  @Test func claimsBeyondTheGreatestNumberDoNotTrap() async throws {
    let (path, copied) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copied] { TemporaryFile.remove(file) } }
    let storage = MemoryStorage()
    let original = try itemReplica(storage, path: path)
    try await original.database.execute("INSERT INTO Item VALUES ('a', 1)")
    _ = try await original.engine.sync()
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copied)
    let copy = try itemReplica(storage, path: copied)
    _ = try await copy.engine.sync()
    let name = try #require(copy.database.changelog?.replicaID)
    let change = #"{"table":"Item","op":"insert","key":["x"],"columns":{"a":1}}"#
    let vector = #"{"\#(name)":[[1,9223372036854775807]]}"#
    let signed = Array(try factory.signed(line(change), 1...1, vector: vector, salts: ["Item"]).utf8)
    try await storage.put(factory.key(signed, 1...1), Gzip.compress(signed))
    #expect(try await copy.engine.sync().pulledTransactions == 1)
    _ = try await copy.engine.verify()
    try await copy.database.close()
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
    let replica = try itemReplica(storage)
    for expected in [1, 0] {
      let report = try await replica.engine.sync()
      #expect(report.pulledTransactions == expected)
      #expect(report.skipped.map(\.error.code) == [.damagedObject])
    }
    #expect(try await replica.database.query(String.self, "SELECT id FROM Item") == ["x"])
    // Nor does it stand in the way of looking at the rest.
    #expect(try await replica.engine.verify().findings.map(\.code) == [.damagedPack, .missingPacks])
    #expect(try await replica.engine.repair().remaining.findings.map(\.code) == [.damagedPack, .missingPacks])
  }

  /// Each value of a tree takes many times the two bytes that stand for it.
  @Test func treesOfManyValuesAreRefused() throws {
    let many = "[" + String(repeating: "0,", count: 10_000) + "0]"
    let change = #"{"table":"T","op":"insert","key":[1],"columns":{"a":\#(many)}}"#
    #expect(try code(factory.signed(line(change), 1...1)) == .damagedObject)
    #expect(throws: SyncError.self) {
      try JSONParser.parse(Array("[\(String(repeating: "0,", count: 1_000_000))0]".utf8)[...])
    }
    let columns = (0..<40_000).map { #""c\#($0)":0"# }.joined(separator: ",")
    for change in [
      #"{"table":"T","op":"insert","key":[1],"columns":{\#(columns)}}"#,
      #"{"table":"T","op":"delete","key":[\#(String(repeating: "0,", count: 40_000))0]}"#,
    ] {
      var reader = TransactionReader(salts: [.init(table: "T", salt: [])])
      #expect(throws: SyncError.self) { try reader.read(Array(line(change).utf8.dropLast())[...], number: 1) }
    }
  }

  /// One part, named again and again, is a value of any size for a few bytes.
  @Test func largerValuesThanSQLiteTakesAreRefused() throws {
    func reference(_ size: Int) -> String {
      let hash = #""\#(String(repeating: "ab", count: 32))""#
      let parts = Array(repeating: hash, count: (size + BigReference.partSize - 1) / BigReference.partSize)
      return #"{"big":{"kind":"blob","size":\#(size),"parts":[\#(parts.joined(separator: ","))]}}"#
    }
    func code(_ sizes: Int...) throws -> SyncError.Code? {
      let columns = sizes.indices.map { #""c\#($0)":\#(reference(sizes[$0]))"# }.joined(separator: ",")
      return try self.code(
        factory.signed(line(#"{"table":"T","op":"insert","key":[1],"columns":{\#(columns)}}"#), 1...1))
    }
    #expect(try code(600_000_000) == nil)
    #expect(try code(1_000_000_001) == .damagedObject)
    #expect(try code(600_000_000, 600_000_000) == .damagedObject)
  }

  /// Whoever has taken in one transaction of two says so in fewer words than would make its own packs unreadable.
  @Test func aHeaderStaysShortWhateverOthersMakeOfTheirNumbers() async throws {
    let count = 2 * PackPut.maximumRuns + 1000
    let now: Int64 = 1_800_000_000_000
    let lines = (1...count).map { number in
      let time = (number % 2 == 0 ? now + 30 * 86_400_000 : now) << 12
      let change = #"{"table":"Item","op":"insert","key":[\#(number)],"columns":{"a":1}}"#
      return #"{"number":\#(number),"time":\#(time),"changes":[\#(change)]}"# + "\n"
    }.joined()
    let range = 1...Int64(count)
    let signed = Array(try factory.signed(lines, range, salts: ["Item"]).utf8)
    let storage = MemoryStorage([try factory.key(signed, range): try Gzip.compress(signed)])
    let replica = try itemReplica(storage)
    #expect(try await replica.engine.sync().pulledTransactions == count / 2)
    try await replica.database.execute("INSERT INTO Item VALUES ('mine', 1)")
    let known = Set(storage.snapshot.keys)
    #expect(try await replica.engine.sync().pushedTransactions == 1)
    let key = try #require(storage.snapshot.keys.first { $0.hasPrefix("log/") && !known.contains($0) })
    let unfolded = try Gzip.decompress(try #require(storage.snapshot[key]), maximumSize: 1 << 26)
    let header = try PackHeaderCodec.read(
      unfolded.prefix { $0 != UInt8(ascii: "\n") }, vault: TransparentVault())
    #expect(header.vector[factory.replica]?.ranges.count == PackPut.maximumRuns)
    let vector = [factory.replica: RangeSet64((1...80_000).map { $0 * 2...$0 * 2 })]
    var large = header
    large.vector = vector.shortened(toRuns: PackPut.maximumRuns)
    large.elsewhere = large.vector
    let line = try PackHeaderCodec.write(large, vault: TransparentVault(), signingKey: factory.signingKey)
    #expect(line.count < PackDecoder.maximumHeaderSize)
    #expect(vector.shortened(toRuns: 80_000) == vector)
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
