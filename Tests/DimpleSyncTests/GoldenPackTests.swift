import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleStore
import Testing

@testable import DimpleSync

/// What format 1 is, byte for byte: if one of these fails, others can no longer read what this version writes, or this
/// version what others wrote.
@Suite("Golden packs")
struct GoldenPackTests {
  private let vault = GoldenVault()
  private let replica = ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0)

  private var transactions: [PackTransaction] {
    func change(
      _ time: Int64, _ table: String, _ operation: Change.Operation, _ key: SQLValue, _ columns: [ColumnValue]
    ) -> PackChange {
      PackChange(
        time: HybridTime(rawValue: time), table: table, key: [key], operation: operation, columns: columns)
    }
    let time: Int64 = 7_372_800_000_000_000
    var large = change(time + 9000, "File", .insert, .integer(1), [ColumnValue(name: "name", value: .text("a.bin"))])
    large.bigColumns = [
      .init(
        name: "data",
        reference: [UInt8](repeating: 7, count: BigReference.partSize + 1).withUnsafeBytes { BigReference(.blob, $0) })
    ]
    let samples = ValueSamples.all.enumerated().map { ColumnValue(name: "c\(100 + $0)", value: $1) }
    return [
      PackTransaction(
        number: 12, time: HybridTime(rawValue: time),
        changes: [
          change(time, "Todo", .insert, .text("a"), samples),
          change(time + 1, "Diary", .update, .text("b"), [ColumnValue(name: "text", value: .text("é\n"))]),
          change(time + 5, "Todo", .delete, .blob([1, 2]), []),
        ]),
      PackTransaction(
        number: 13, time: HybridTime(rawValue: time + 8192),
        changes: [change(time + 8192, "Diary", .delete, .text("b"), [])]),
      PackTransaction(number: 14, time: HybridTime(rawValue: time + 9000), changes: [large]),
    ]
  }

  private func lines(leavesOut: @escaping (String) -> Bool = { _ in false }) throws -> String {
    var builder = PackBuilder(
      before: [UInt8](repeating: 1, count: 32), signingKey: vault.signingKey,
      leavesOut: { table, _ in leavesOut(table) })
    for transaction in transactions { builder.append(transaction) }
    let body = try #require(builder.body)
    let header = PackHeader(
      vault: vault.id, replica: replica, range: body.range, chain: body.chain,
      vector: [ReplicaID(rawValue: 5): RangeSet64([1...3, 7...9])], schema: 4, app: "Golden 1.0",
      state: .init(digest: [UInt8](repeating: 0xAB, count: 32), own: 11), salts: body.salts,
      publicKey: try vault.publicKey(of: vault.signingKey))
    let bytes = try PackHeaderCodec.write(header, vault: vault, signingKey: vault.signingKey) + [0x0A] + body.lines()
    let name = PackName(replica: replica, range: 12...14, contentHash: vault.hash(SHA256.hash(bytes)))
    #expect(
      try PackDecoder.decode(Gzip.compress(bytes), name: name, vault: vault, maximumSize: 1 << 20).header.chain
        == body.chain)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func aPackIsWrittenAsEver() throws { #expect(try lines() == GoldenPacks.whole) }

  @Test func aPackWithATableLeftOutIsWrittenAsEver() throws {
    #expect(try lines { $0 == "Diary" } == GoldenPacks.withoutDiary)
  }

  @Test(arguments: [GoldenPacks.whole, GoldenPacks.withoutDiary]) func theyAreReadAsEver(text: String) throws {
    let bytes = Array(text.utf8)
    let name = PackName(replica: replica, range: 12...14, contentHash: vault.hash(SHA256.hash(bytes)))
    let decoded = try PackDecoder.decode(Gzip.compress(bytes), name: name, vault: vault, maximumSize: 1 << 20)
    #expect(try decoded.transactions()[0].changes[0] == transactions[0].changes[0])
    #expect(try decoded.transactions()[2] == transactions[2])
  }

  @Test func namesAreWrittenAsEver() throws {
    let name = PackName(replica: replica, range: 12...14, contentHash: Array(0..<32))
    #expect(
      Hex.encode(name.record)
        == "123456789abcdef0000000000000000c000000000000000e000102030405060708090a0b0c0d0e0f")
    #expect(PackName(record: name.record) == name)
  }
}

/// Signs as real vaults do, with a fixed key; hides nothing.
struct GoldenVault: Vault {
  let id = "golden"
  let objectExtension = ""
  let signingKey = [UInt8](0..<32)

  func seal(_ plaintext: [UInt8]) throws -> [UInt8] { plaintext }
  func open(_ sealed: [UInt8]) throws -> [UInt8] { sealed }
  func sealName(_ record: [UInt8]) throws -> String { Hex.encode(record) }
  func openName(_ name: String) -> [UInt8]? { Hex.decode(name) }
  func hash(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }
  func makeSigningKey() throws -> [UInt8] { signingKey }
  func publicKey(of signingKey: [UInt8]) throws -> [UInt8] { try Ed25519.publicKey(of: signingKey) }
  func sign(_ message: [UInt8], with signingKey: [UInt8]) throws -> [UInt8] {
    try Ed25519.sign(message, seed: signingKey)
  }
  func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
    Ed25519.verify(signature, of: message, publicKey: publicKey)
  }
}
