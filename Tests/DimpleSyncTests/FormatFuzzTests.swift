import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// Thousands of mutations of what is right: no trap, no error but this module's own. `scripts/fuzz` does the same for
/// hours, led by coverage.
@Suite("Fuzzed formats")
struct FormatFuzzTests {
  private let factory = PackFactory()

  /// Bytes changed, cut, repeated, or replaced by what means something to a parser.
  private static func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    let tokens = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "null", "-1", "9223372036854775807", "1e999", "\"left\":",
      "{\"big\":",
      "\\ud800", "\u{FF}",
    ]
    var bytes = bytes
    for _ in 0...random.below(3) {
      let position = random.below(bytes.count + 1)
      let end = min(bytes.count, position + random.below(8))
      switch random.below(6) {
      case 0: if position < bytes.count { bytes[position] = UInt8(random.below(256)) }
      case 1: bytes.removeSubrange(position..<end)
      case 2: bytes.insert(contentsOf: bytes[position..<end], at: position)
      case 3: bytes.replaceSubrange(position..<end, with: Array(tokens[random.below(tokens.count)].utf8))
      case 4: bytes.insert(contentsOf: tokens[random.below(tokens.count)].utf8, at: position)
      default: if random.oneIn(8) { bytes.removeSubrange(position...) }
      }
    }
    return bytes
  }

  /// - Returns: Whether it was refused.
  private func isRefused(_ body: () throws -> Void) -> Bool {
    do { try body() } catch is SyncError { return true } catch {
      Issue.record("not this module's error: \(error)")
    }
    return false
  }

  private func forEachMutation(
    of original: [UInt8], seed: UInt64, count: Int, _ body: ([UInt8]) throws -> Void
  ) rethrows {
    print("FormatFuzzTests: seed \(seed)")
    var random = SeededRandom(seed: seed)
    for _ in 0..<count { try body(Self.mutated(original, &random)) }
  }

  @Test(arguments: [GoldenPacks.whole, GoldenPacks.withoutDiary]) func headers(text: String) throws {
    let line = Array(text.utf8.prefix { $0 != 0x0A })
    forEachMutation(of: line, seed: 21, count: 4000) { mutated in
      // Signed by nobody: almost all end there. The rest of the parser is behind it, see below.
      if isRefused({ _ = try PackHeaderCodec.read(mutated[...], vault: GoldenVault()) }) { return }
      #expect((try? JSONParser.parse(mutated[...])) == (try? JSONParser.parse(line[...])))
    }
  }

  @Test func headersThatAreSigned() throws {
    let line = #"{"number":1,"time":4096,"changes":[{"table":"T","op":"delete","key":[1]}]}"# + "\n"
    let whole = try factory.signed(line, 1...1, vector: #"{"0000000000000005":[[1,3],[7,9]]}"#)
    let header = try #require(whole.split(separator: "\n").first)
    try forEachMutation(of: Array(header.utf8), seed: 22, count: 3000) { mutated in
      guard let text = String(validating: mutated, as: UTF8.self),
        text.contains(#","signature":""#) && !text.contains("\n")
      else { return }
      let resigned = try factory.resigned(text)
      _ = isRefused { _ = try PackHeaderCodec.read(Array(resigned.utf8)[...], vault: factory.vault) }
    }
  }

  /// What both readings accept has one chain.
  @Test(arguments: [GoldenPacks.whole, GoldenPacks.withoutDiary]) func transactions(text: String) throws {
    let salts = ["Todo", "Diary", "File"].map { PackHeader.Salt(table: $0, salt: [UInt8](repeating: 1, count: 16)) }
    for (index, line) in text.split(separator: "\n").dropFirst().enumerated() {
      forEachMutation(of: Array(line.utf8), seed: UInt64(23 + index), count: 2000) { mutated in
        var (first, second) = (TransactionReader(salts: salts), TransactionReader(salts: salts))
        var hash: [UInt8] = []
        guard !isRefused({ hash = try first.skim(mutated[...], number: Int64(12 + index)).hash }) else {
          // Only a salt that is missing is no matter of the second reading, which nothing comes to that the first refused.
          var unsalted: PackTransaction?
          _ = isRefused { unsalted = try second.read(mutated[...], number: Int64(12 + index)) }
          #expect(unsalted?.changes.contains { change in !salts.contains { $0.table == change.table } } ?? true)
          return
        }
        var transaction: PackTransaction?
        guard !isRefused({ transaction = try second.read(mutated[...], number: Int64(12 + index)) }) else { return }
        #expect(transaction?.leftHash ?? hash == hash)
      }
    }
  }

  @Test func foldedPacks() throws {
    let lines = Array(GoldenPacks.whole.utf8)
    let vault = GoldenVault()
    let name = PackName(
      replica: ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0), range: 12...14, contentHash: vault.hash(SHA256.hash(lines)))
    try forEachMutation(of: Gzip.compress(lines), seed: 31, count: 4000) { mutated in
      _ = isRefused { _ = try PackDecoder.decode(mutated, name: name, vault: vault, maximumSize: 1 << 20) }
    }
    try forEachMutation(of: lines, seed: 32, count: 3000) { mutated in
      let fitting = PackName(replica: name.replica, range: 12...14, contentHash: vault.hash(SHA256.hash(mutated)))
      let folded = try Gzip.compress(mutated)
      let isRefused = isRefused {
        try PackDecoder.decode(folded, name: fitting, vault: vault, maximumSize: 1 << 20).forEachTransaction { _ in
          true
        }
      }
      #expect(isRefused || mutated == lines)
    }
  }

  @Test func names() {
    var random = SeededRandom(seed: 41)
    for _ in 0..<20_000 {
      let record = (0..<(random.oneIn(3) ? random.below(60) : 40)).map { _ in
        random.oneIn(3) ? UInt8(random.below(2) * 255) : UInt8(random.below(256))
      }
      guard let name = PackName(record: record) else { continue }
      #expect(name.record == record)
      #expect(name.range.lowerBound >= 1)
      let candidates = ["a", "b"].map { PullPlan.Candidate(key: $0, name: name, size: 1) }
      #expect(
        PullPlan(listed: candidates, seen: [name.replica: RangeSet64([1...5, .max - 1 ... .max])]).fetch.count <= 1)
    }
  }
}
