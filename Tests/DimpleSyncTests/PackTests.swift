import DimpleChangelog
import DimplePrimitives
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Packs")
struct PackTests {
  private let vault = TransparentVault()
  private let signingKey = [UInt8](repeating: 7, count: 32)
  private let replica = ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0)

  private func body(
    _ transactions: [PackTransaction], before: [UInt8] = LogChain.start,
    leavesOut: @escaping (String) -> Bool = { _ in false }
  ) throws -> PackBody {
    var builder = PackBuilder(before: before, signingKey: signingKey, leavesOut: { table, _ in leavesOut(table) })
    for transaction in transactions { builder.append(transaction) }
    return try #require(builder.body)
  }

  private func header(_ body: PackBody) throws -> PackHeader {
    PackHeader(
      vault: vault.id, replica: replica, range: body.range, chain: body.chain,
      vector: [ReplicaID(rawValue: 5): RangeSet64([1...3, 7...9])], schema: 4, app: "Test \"1\"",
      state: .init(digest: [1, 2], own: 7), salts: body.salts, publicKey: try vault.publicKey(of: signingKey))
  }

  private func encode(_ header: PackHeader, _ body: PackBody) throws -> (bytes: [UInt8], name: PackName) {
    named(try PackHeaderCodec.write(header, vault: vault, signingKey: signingKey) + [0x0A] + body.lines())
  }

  private func encode(_ transactions: [PackTransaction]) throws -> (bytes: [UInt8], name: PackName) {
    let body = try body(transactions)
    return try encode(header(body), body)
  }

  /// With the name that fits.
  private func named(_ bytes: [UInt8]) -> (bytes: [UInt8], name: PackName) {
    (bytes, PackName(replica: replica, range: 1...2, contentHash: vault.hash(SHA256.hash(bytes))))
  }

  private func replacing(_ text: String, with other: String) throws -> (bytes: [UInt8], name: PackName) {
    let original = String(decoding: try encode(sample).bytes, as: UTF8.self)
    #expect(original.contains(text))
    return named(Array(original.replacing(text, with: other).utf8))
  }

  private var sample: [PackTransaction] {
    let columns = ValueSamples.all.enumerated().map { ColumnValue(name: "c\(1000 + $0)", value: $1) }
    return [
      transaction(
        1, [change(.insert, 4096, columns), change(.update, 4097, [columns[3]]), change(.delete, 5000, [])]),
      transaction(2, [change(.insert, 9000, [])]),
    ]
  }

  private func transaction(_ number: Int64, _ changes: [PackChange]) -> PackTransaction {
    PackTransaction(number: number, time: changes.first?.time ?? HybridTime(rawValue: 0), changes: changes)
  }

  private func change(
    _ operation: Change.Operation, _ time: Int64, _ columns: [ColumnValue], table: String = #"a" b"#
  ) -> PackChange {
    PackChange(
      time: HybridTime(rawValue: time), table: table, key: [.text("k\0"), .integer(.min)], operation: operation,
      columns: columns)
  }

  private func decode(
    _ bytes: [UInt8], _ name: PackName, in other: TransparentVault? = nil
  ) throws -> DecodedPack {
    try PackDecoder.decode(Gzip.compress(bytes), name: name, vault: other ?? vault, maximumSize: 1 << 24)
  }

  private func code(_ bytes: [UInt8], _ name: PackName) -> SyncError.Code? {
    do { _ = try decode(bytes, name).transactions() } catch let error as SyncError {
      return error.code
    } catch {
      Issue.record("\(error)")
    }
    return nil
  }

  @Test func whatIsWrittenReadsBack() throws {
    let body = try body(sample)
    let (bytes, name) = try encode(header(body), body)
    let decoded = try decode(bytes, name)
    #expect(try decoded.transactions() == sample)
    var readHeader = decoded.header
    readHeader.signature = []
    #expect(try readHeader == header(body))
    #expect(PackName(record: name.record) == name)
    #expect(try decoded.lines(from: 1) == body.lines())
    #expect(try decoded.lines(from: 2) == self.body([sample[1]]).lines())
    #expect(try decoded.lines(from: 3).isEmpty)
    #expect(decoded.changeCount == 4)
  }

  @Test("A pack is kept unfolded up to a size, and reads the same")
  func keptUnfolded() throws {
    let (bytes, name) = try encode(sample)
    let folded = try Gzip.compress(bytes)
    for (keptSize, held) in [(0, 0), (bytes.count - 1, 0), (bytes.count, bytes.count), (.max, bytes.count)] {
      let decoded = try PackDecoder.decode(
        folded, name: name, vault: vault, maximumSize: 1 << 24, keptSize: keptSize)
      #expect(decoded.heldSize == folded.count + held)
      #expect(decoded.unfoldedSize == bytes.count)
      // As often as one likes.
      for _ in 1...2 { #expect(try decoded.transactions() == sample) }
    }
  }

  @Test func theSameTransactionsGiveTheSameBytes() throws {
    #expect(try encode(sample).bytes == encode(sample).bytes)
  }

  @Test func anotherContentUnderTheNameIsFound() throws {
    let (bytes, name) = try encode(sample)
    for index in stride(from: 0, to: bytes.count, by: 7) {
      var altered = bytes
      altered[index] ^= 1
      #expect(code(altered, name) == .damagedObject)
    }
    #expect(code(Array(bytes.dropLast(3)), name) == .damagedObject)
  }

  @Test func anotherNameForTheContentIsFound() throws {
    let (bytes, name) = try encode(sample)
    var other = name
    other.replica = ReplicaID(rawValue: 9)
    #expect(code(bytes, other) == .damagedObject)
    other = name
    other.range = 1...3
    #expect(code(bytes, other) == .damagedObject)
  }

  @Test func aHeaderThatItsKeyDidNotSignIsRefused() throws {
    let (forged, name) = try replacing("[[1,3],[7,9]]", with: "[[1,3],[7,8]]")
    #expect(code(forged, name) == .forgedAuthor)
  }

  @Test func transactionsThatDoNotMakeTheChainAreRefused() throws {
    let (altered, name) = try replacing(#""time":9000"#, with: #""time":9001"#)
    #expect(code(altered, name) == .brokenChain)
  }

  // MARK: - Later versions

  @Test func aNewerFormatIsRefusedByName() throws {
    let body = try body(sample)
    var header = try header(body)
    header.format = 2
    let (bytes, name) = try encode(header, body)
    #expect(code(bytes, name) == .unsupportedFormat)
  }

  @Test func kindsThatAreNotKnownAreRefusedAsNewer() throws {
    let (bytes, packName) = try replacing(#""kind":"log""#, with: #""kind":"new""#)
    #expect(code(bytes, packName) == .unsupportedFormat)
    let factory = PackFactory()
    for change in [
      #"{"table":"T","op":"new","key":[1]}"#, #"{"table":"T","op":"update","key":[1],"columns":{"n":{"add":3}}}"#,
    ] {
      let lines = try factory.signed(#"{"number":1,"time":4096,"changes":[\#(change)]}"# + "\n", 1...1)
      #expect(try factory.code(Array(lines.utf8), 1...1) == .unsupportedFormat)
    }
  }

  /// A member `"new"` added to the header and signed, as a later version would.
  private func newerHeader(_ member: String) throws -> (bytes: [UInt8], name: PackName) {
    let body = try body(sample)
    var text = String(
      decoding: try PackHeaderCodec.write(header(body), vault: vault, signingKey: signingKey), as: UTF8.self)
    text.replace(#""schema":4"#, with: #""schema":4,"new":\#(member)"#)
    let unsigned = text.prefix(upTo: try #require(text.firstRange(of: #","signature":"#)).lowerBound) + "}"
    let signed = unsigned.replacing(#""vault":"transparent","#, with: "")
    let signature = try vault.sign(Array(signed.utf8), with: signingKey)
    let hex = signature.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return named(try Array((unsigned.dropLast() + #","signature":"\#(hex)"}"# + "\n").utf8) + body.lines())
  }

  @Test func membersThatAreNotKnownAreReadOverAndSigned() throws {
    let (bytes, name) = try newerHeader(#"{"a":[1,2.5]}"#)
    #expect(try decode(bytes, name).transactions() == sample)
    let altered = named(Array(String(decoding: bytes, as: UTF8.self).replacing("[1,2.5]", with: "[1,2.6]").utf8))
    #expect(code(altered.bytes, altered.name) == .forgedAuthor)
  }

  @Test func membersOfTransactionsThatAreNotKnownAreKeptUnderTheChain() throws {
    var transactions = sample
    transactions[0].otherMembers = Array(#","note":{"a":"b"}"#.utf8)
    let (bytes, name) = try encode(transactions)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(#"],"note":{"a":"b"}}"#))
    #expect(try decode(bytes, name).transactions() == transactions)
    let altered = named(Array(text.replacing(#""a":"b""#, with: #""a":"c""#).utf8))
    #expect(code(altered.bytes, altered.name) == .brokenChain)
  }

  @Test func theFrameOfALineHasOneFormOnly() throws {
    let (spaced, name) = try replacing(#""time":9000"#, with: #""time": 9000"#)
    #expect(code(spaced, name) != nil)
    let (extended, other) = try replacing(#""time":9000"#, with: #""new":1,"time":9000"#)
    #expect(code(extended, other) != nil)
  }

  @Test func theVaultIsNotSignedSoThatAPackCanBeCarriedToAnother() throws {
    let (bytes, _) = try encode(sample)
    let text = String(decoding: bytes, as: UTF8.self)
    let elsewhere = named(Array(text.replacing(#""vault":"transparent""#, with: #""vault":"other""#).utf8))
    #expect(code(elsewhere.bytes, elsewhere.name) == .damagedObject)
    var other = vault
    other.id = "other"
    #expect(try decode(elsewhere.bytes, elsewhere.name, in: other).transactions() == sample)
  }

  // MARK: - Left out

  private var mixed: [PackTransaction] {
    let column = [ColumnValue(name: "x", value: .integer(1))]
    return [
      transaction(
        1,
        [
          change(.insert, 100, column, table: "Secret"), change(.update, 107, column, table: "Todo"),
          change(.delete, 110, [], table: "Secret"),
        ]),
      transaction(2, [change(.insert, 200, column, table: "Secret")]),
    ]
  }

  @Test func whatIsLeftOutChangesNeitherTheChainNorTheTimesOfTheRest() throws {
    let whole = try body(mixed)
    let part = try body(mixed) { $0 == "Secret" }
    #expect(part.chain == whole.chain)
    #expect(part.salts.map(\.table) == ["Todo"])
    #expect(try !String(decoding: part.lines(), as: UTF8.self).contains("Secret"))
    let (bytes, name) = try encode(header(part), part)
    let decoded = try decode(bytes, name).transactions()
    #expect(decoded[0].changes == [mixed[0].changes[1]])
    #expect(decoded[0].left.map(\.position) == [0, 2])
    #expect(decoded[0].left.map(\.time.rawValue) == [100, 110])
    #expect(decoded[1].changes.isEmpty)
    #expect(decoded[1].leftHash != nil)
    // What was read can be written again, as it was.
    #expect(try body(decoded).lines() == part.lines())
  }

  /// Whoever guesses a change's contents cannot tell from the hash: it is salted, and the salt is with the table.
  @Test func theHashOfWhatIsLeftOutIsSalted() throws {
    var (mine, theirs) = (ChangeHash(signingKey: signingKey), ChangeHash(signingKey: [UInt8](repeating: 8, count: 32)))
    let change = Array(#"{"table":"Secret","op":"delete","key":[1]}"#.utf8)[...]
    #expect(mine.hash(change, of: "Secret") != theirs.hash(change, of: "Secret"))
    #expect(mine.salt(of: "Secret") != mine.salt(of: "Todo"))
    var reader = ChangeHash([.init(table: "Todo", salt: [1])])
    #expect(reader.hash(change, of: "Secret") == nil)
  }

  @Test func ticksOfWhatIsLeftOutAreUnderTheChain() throws {
    let part = try body(mixed) { $0 == "Secret" }
    let (bytes, _) = try encode(header(part), part)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(#","ticks":2}"#))
    let altered = named(Array(text.replacing(#","ticks":2}"#, with: #","ticks":3}"#).utf8))
    #expect(code(altered.bytes, altered.name) == .brokenChain)
  }

  // MARK: - Large values

  @Test func referencesToLargeValuesReadBackInTheirPlace() throws {
    let large = [UInt8](repeating: 65, count: BigReference.partSize + 1).withUnsafeBytes { BigReference(.text, $0) }
    #expect(large.parts.count == 2)
    var change = change(.insert, 100, [ColumnValue(name: "b", value: .null), ColumnValue(name: "d", value: .null)])
    change.bigColumns = ["a", "c", "e"].map { .init(name: $0, reference: large) }
    let (bytes, name) = try encode([transaction(1, [change]), sample[1]])
    #expect(try decode(bytes, name).transactions()[0].changes == [change])
    let names = String(decoding: bytes, as: UTF8.self).matches(of: #/"([a-e])":(null|{"big")/#).map { String($0.1) }
    #expect(names == ["a", "b", "c", "d", "e"])
  }

  @Test(arguments: [
    #"{"kind":"text","size":2000000,"parts":[]}"#, #"{"kind":"text","size":10,"parts":["HASH"]}"#,
    #"{"kind":"x","size":2000000,"parts":["HASH"]}"#, #"{"kind":"blob","size":2000000,"parts":["00"]}"#,
    #"{"kind":"blob","size":2000000,"parts":["HASH","HASH"]}"#,
    #"{"kind":"blob","size":9223372036854775807,"parts":["HASH"]}"#,
    #"{"size":2000000,"parts":["HASH"]}"#, "1", "{}",
  ])
  func referencesThatMakeNoSenseAreRefused(text: String) throws {
    let hash = String(repeating: "0a", count: 32)
    let json = try JSONParser.parse(Array(text.replacing("HASH", with: hash).utf8)[...])
    #expect(BigReference(json) == nil)
    let fine = try JSONParser.parse(Array(#"{"kind":"text","size":2000000,"parts":["\#(hash)"]}"#.utf8)[...])
    #expect(BigReference(fine)?.json["big"] == fine)
  }

  // MARK: - Hostile

  @Test func mutatedPacksAreRefusedWithoutATrap() throws {
    let (bytes, _) = try encode(sample)
    var random = SeededRandom(seed: 3)
    for _ in 0..<3000 {
      var mutated = bytes
      for _ in 0...random.below(4) { mutated[random.below(mutated.count)] = UInt8(random.below(256)) }
      if random.oneIn(4) { mutated.removeSubrange(random.below(mutated.count)...) }
      // With the hash made to fit, the parser itself must cope.
      if mutated != bytes { #expect(code(mutated, named(mutated).name) != nil) }
    }
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

extension DecodedPack {
  func transactions() throws -> [PackTransaction] {
    var transactions: [PackTransaction] = []
    try forEachTransaction { transaction in
      transactions.append(transaction)
      return true
    }
    return transactions
  }

  func lines(from number: Int64) throws -> [UInt8] {
    var lines: [UInt8] = []
    try forEachLine(from: number) { line, _ in
      lines += line + [0x0A]
      return true
    }
    return lines
  }
}

extension PackBody {
  func lines() throws -> [UInt8] {
    var lines: [UInt8] = []
    try writeLines { lines += $0 }
    return lines
  }
}
