import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Packs")
struct PackTests {
  private let vault = TransparentVault()
  private let signingKey = [UInt8](repeating: 7, count: 32)
  private let replica = ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0)

  private func pack(_ transactions: [PackTransaction], before: [UInt8] = LogChain.start) throws -> Pack {
    let after = transactions.reduce(before) { LogChain.next($0, line: PackEncoder.line($1)) }
    let numbers = transactions.map(\.number)
    let header = PackHeader(
      vault: vault.id, replica: replica, range: (numbers.first ?? 1)...(numbers.last ?? 1),
      chain: PackChain(before: before, after: after),
      vector: [ReplicaID(rawValue: 5): RangeSet64([1...3, 7...9])], publicKey: try vault.publicKey(of: signingKey))
    return Pack(header: header, transactions: transactions)
  }

  private var sample: [PackTransaction] {
    let columns = ValueSamples.all.enumerated().map { ColumnValue(name: "c\(1000 + $0)", value: $1) }
    return [
      PackTransaction(
        number: 1,
        changes: [
          change(.insert, 4096, columns), change(.update, 4097, [columns[3]]), change(.delete, 5000, []),
        ]), PackTransaction(number: 2, changes: [change(.insert, 9000, [])]),
    ]
  }

  private func change(_ operation: Change.Operation, _ time: Int64, _ columns: [ColumnValue]) -> PackChange {
    PackChange(
      time: HybridTime(rawValue: time), table: #"a" b"#, key: [.text("k\0"), .integer(.min)], operation: operation,
      columns: columns)
  }

  private func encode(_ pack: Pack) throws -> (bytes: [UInt8], name: PackName) {
    let bytes = try PackEncoder.encode(pack, vault: vault, signingKey: signingKey)
    return (bytes, PackName(replica: replica, range: pack.header.range, contentHash: vault.hash(bytes)))
  }

  private func code(_ bytes: [UInt8], _ name: PackName) -> SyncError.Code? {
    do { _ = try PackDecoder.decode(bytes, name: name, vault: vault) } catch let error as SyncError {
      return error.code
    } catch {
      Issue.record("\(error)")
    }
    return nil
  }

  @Test func whatIsWrittenReadsBack() throws {
    let pack = try pack(sample)
    let (bytes, name) = try encode(pack)
    var decoded = try PackDecoder.decode(bytes, name: name, vault: vault).pack
    decoded.header.signature = []
    #expect(decoded == pack)
    #expect(PackName(record: name.record) == name)
    #expect(try encode(pack).bytes == bytes)
  }

  @Test func theBytesArePinned() throws {
    let change = PackChange(
      time: HybridTime(rawValue: 7_372_800_000_000_000), table: "Todo", key: [.text("a")], operation: .update,
      columns: [ColumnValue(name: "n", value: .real(1)), ColumnValue(name: "t", value: .text("é\n"))])
    let line = PackEncoder.line(PackTransaction(number: 12, changes: [change]))
    #expect(
      String(decoding: line, as: UTF8.self)
        == #"{"number":12,"time":7372800000000000,"changes":[{"table":"Todo","op":"update","key":["a"],"columns":{"n":1.0,"t":"é\n"}}]}"#
    )
  }

  @Test func anotherContentUnderTheNameIsFound() throws {
    let (bytes, name) = try encode(pack(sample))
    for index in stride(from: 0, to: bytes.count, by: 7) {
      var altered = bytes
      altered[index] ^= 1
      #expect(code(altered, name) == .damagedObject)
    }
    #expect(code(Array(bytes.dropLast(3)), name) == .damagedObject)
  }

  @Test func anotherNameForTheContentIsFound() throws {
    let (bytes, name) = try encode(pack(sample))
    var other = name
    other.replica = ReplicaID(rawValue: 9)
    #expect(code(bytes, other) == .damagedObject)
    other = name
    other.range = 1...3
    #expect(code(bytes, other) == .damagedObject)
  }

  @Test func aHeaderThatItsKeyDidNotSignIsRefused() throws {
    let (bytes, _) = try encode(pack(sample))
    let text = String(decoding: bytes, as: UTF8.self).replacing("[[1,3],[7,9]]", with: "[[1,3],[7,8]]")
    let forged = Array(text.utf8)
    let name = PackName(replica: replica, range: 1...2, contentHash: vault.hash(forged))
    #expect(code(forged, name) == .forgedAuthor)
  }

  @Test func transactionsThatDoNotMakeTheChainAreRefused() throws {
    let (bytes, _) = try encode(pack(sample))
    let text = String(decoding: bytes, as: UTF8.self).replacing(#""time":9000"#, with: #""time":9001"#)
    let altered = Array(text.utf8)
    let name = PackName(replica: replica, range: 1...2, contentHash: vault.hash(altered))
    #expect(code(altered, name) == .brokenChain)
  }

  @Test func aNewerFormatIsRefusedByName() throws {
    var pack = try pack(sample)
    pack.header.format = 2
    let (bytes, name) = try encode(pack)
    #expect(code(bytes, name) == .unsupportedFormat)
  }

  @Test func mutatedPacksAreRefusedWithoutATrap() throws {
    let (bytes, name) = try encode(pack(sample))
    var random = SeededRandom(seed: 3)
    for _ in 0..<3000 {
      var mutated = bytes
      for _ in 0...random.below(4) { mutated[random.below(mutated.count)] = UInt8(random.below(256)) }
      if random.oneIn(4) { mutated.removeSubrange(random.below(mutated.count)...) }
      // With the hash made to fit, the parser itself must cope.
      let fitting = PackName(replica: replica, range: name.range, contentHash: vault.hash(mutated))
      if mutated != bytes { #expect(code(mutated, fitting) != nil) }
    }
  }

  @Test func aBombIsRefusedBeforeItUnfolds() throws {
    let bomb = try Gzip.compress([UInt8](repeating: 0, count: 50_000_000))
    #expect(bomb.count < 100_000)
    #expect(throws: SyncError.self) { try Gzip.decompress(bomb, maximumSize: 1_000_000) }
    #expect(try Gzip.decompress(bomb, maximumSize: 50_000_000).count == 50_000_000)
  }

  @Test func gzipFilesWithSomethingBehindOrMissingAreRefused() throws {
    let file = try Gzip.compress(Array("hello".utf8))
    #expect(try Gzip.decompress(file, maximumSize: 5) == Array("hello".utf8))
    #expect(throws: SyncError.self) { try Gzip.decompress(file + [0], maximumSize: 100) }
    for count in 0..<file.count {
      #expect(throws: SyncError.self) { try Gzip.decompress(Array(file.prefix(count)), maximumSize: 100) }
    }
  }
}

@Suite("What to fetch")
struct PullPlanTests {
  private func candidate(_ key: String, _ range: ClosedRange<Int64>, of replica: UInt64 = 1) -> PullPlan.Candidate {
    let name = PackName(
      replica: ReplicaID(rawValue: replica), range: range, contentHash: [UInt8](repeating: 0, count: 32))
    return PullPlan.Candidate(key: key, name: name)
  }

  @Test func onlyPacksWithSomethingNewAreFetched() {
    let plan = PullPlan(
      listed: [candidate("a", 1...3), candidate("b", 4...6), candidate("c", 7...9)],
      seen: [ReplicaID(rawValue: 1): RangeSet64([1...3, 7...9])])
    #expect(plan.fetch.map(\.key) == ["b"])
  }

  @Test func aUnionMakesItsPartsSuperfluous() {
    let parts = (1...8).map { candidate("part\($0)", Int64($0)...Int64($0)) }
    let plan = PullPlan(listed: parts + [candidate("union", 1...8)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["union"])
  }

  @Test func theOrderOfTheListingDoesNotMatter() {
    var random = SeededRandom(seed: 1)
    let packs = (1...20).map { (number: Int64) -> PullPlan.Candidate in
      candidate("p\(number)", number...(number + number % 4), of: UInt64(number % 3))
    }
    let expected = PullPlan(listed: packs, seen: [:]).fetch
    for _ in 0..<50 { #expect(PullPlan(listed: packs.shuffled(using: &random), seen: [:]).fetch == expected) }
  }

  @Test func absurdNumbersDoNotTrap() {
    let plan = PullPlan(listed: [candidate("x", 1 ... .max), candidate("y", .max ... .max)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["x"])
  }
}
