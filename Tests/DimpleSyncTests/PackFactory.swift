import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// Makes packs of any lines at all, signed and chained as if they were right.
struct PackFactory {
  var vault = TransparentVault()
  var replica = ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0)
  let signingKey = [UInt8](repeating: 7, count: 32)

  /// - Parameter lines: Each with its line feed. Where they can be read, the header's chain is theirs.
  func signed(
    _ lines: String, _ range: ClosedRange<Int64>, vector: String = "{}", salts tables: [String] = ["T"]
  ) throws -> String {
    var hash = ChangeHash(signingKey: signingKey)
    let salts = tables.map { PackHeader.Salt(table: $0, salt: hash.salt(of: $0) ?? []) }
    var reader = TransactionReader(salts: salts)
    var chain = LogChain.start
    for (number, line) in zip(range, lines.split(separator: "\n")) {
      guard let transaction = try? reader.skim(Array(line.utf8)[...], number: number) else { continue }
      chain = LogChain.next(chain, transaction.hash)
    }
    let header = PackHeader(
      vault: vault.id, replica: replica, range: range, chain: PackChain(before: LogChain.start, after: chain),
      vector: [:],
      salts: salts, publicKey: try vault.publicKey(of: signingKey))
    let text = String(
      decoding: try PackHeaderCodec.write(header, vault: vault, signingKey: signingKey), as: UTF8.self)
    return try resigned(text.replacing(#""vector":{}"#, with: #""vector":\#(vector)"#)) + "\n" + lines
  }

  /// A header's line with the signature it needs.
  func resigned(_ line: String) throws -> String {
    let end = try #require(line.firstRange(of: #","signature":""#)).lowerBound
    let unsigned = line[..<end]
    let signed = unsigned.replacing(#""vault":"\#(vault.id)","#, with: "") + "}"
    return unsigned + #","signature":"\#(Hex.encode(try vault.sign(Array(signed.utf8), with: signingKey)))"}"#
  }

  func name(_ bytes: [UInt8], _ range: ClosedRange<Int64>) -> PackName {
    PackName(replica: replica, range: range, contentHash: vault.hash(SHA256.hash(bytes)))
  }

  func key(_ bytes: [UInt8], _ range: ClosedRange<Int64>) throws -> String {
    PackName.prefix + (try vault.sealName(name(bytes, range).record))
  }

  /// What reading it to the end says; `nil` where nothing is wrong.
  func code(_ bytes: [UInt8], _ range: ClosedRange<Int64>) throws -> SyncError.Code? {
    let folded = try Gzip.compress(bytes)
    do {
      let decoded = try PackDecoder.decode(folded, name: name(bytes, range), vault: vault, maximumSize: 1 << 26)
      try decoded.forEachTransaction { _ in true }
    } catch let error as SyncError {
      return error.code
    }
    return nil
  }
}

/// A storage whose listings tell other sizes.
struct LyingStorage: ObjectStorage {
  private let base: any ObjectStorage
  private let sizes: [String: Int64]

  init(_ base: any ObjectStorage, sizes: [String: Int64]) {
    self.base = base
    self.sizes = sizes
  }

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    var page = try await base.list(prefix: prefix, after: cursor)
    page.objects = page.objects.map { ObjectInfo(key: $0.key, size: sizes[$0.key] ?? $0.size) }
    return page
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await base.get(key, maximumSize: maximumSize)
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await base.put(key, bytes, condition: condition)
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}

/// The beginning of a gzip file that unfolds to zeros for as long as zeros follow: about a thousand for each.
enum GzipBomb {
  private static let beginning = "1f8b0800000000000203ecc101010000008090feafee080a"

  /// - Parameter size: Unfolded, in bytes, about.
  static func make(size: Int) throws -> [UInt8] {
    try #require(Hex.decode(beginning)) + [UInt8](repeating: 0, count: size / 1030)
  }
}
