internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// Reads packs, from a bucket that may be hostile: everything is checked against everything else before any of it is
/// believed. Never traps, and holds a pack unfolded only as far as it is told to.
enum PackDecoder {
  /// The longest first line accepted, in bytes: a vector of some 25,000 runs.
  static let maximumHeaderSize = 1 << 20

  /// A pack, verified: name and header agree, the contents have the hash that the name says, the transactions are numbered
  /// without gaps and carry the chain from `before` to `after`, the header is signed by its own key (that the key is this
  /// replica's is the caller's to check).
  ///
  /// - Parameters:
  ///   - folded: The opened object.
  ///   - maximumSize: Of the pack unfolded, in bytes.
  ///   - keptSize: Up to this size, in bytes, the pack is kept unfolded for the second reading. What a merge need not unfold, the
  ///     app's own writes need not wait for.
  /// - Throws: ``SyncError`` with ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat``,
  ///   ``SyncError/Code/brokenChain`` or ``SyncError/Code/forgedAuthor``.
  static func decode(
    _ folded: [UInt8], name: PackName, vault: any Vault, maximumSize: Int, keptSize: Int = 0
  ) throws -> DecodedPack {
    let lines = FoldedLines(folded: folded, maximumSize: maximumSize)
    var (contents, size) = (SHA256(), 0)
    var pass = VerifyingPass(name: name, vault: vault)
    // What makes no sense may be another content altogether; then that is what to say.
    var failure: (any Error)?
    var kept: [UInt8]? = keptSize > 0 ? [] : nil
    let readPiece = { (piece: ArraySlice<UInt8>) in
      contents.update(piece)
      size += piece.count
      if size <= keptSize { kept? += piece } else { kept = nil }
    }
    try lines.forEach(piece: readPiece) { line in
      if failure == nil {
        do { try pass.read(line) } catch { failure = error }
      }
      return true
    }
    guard vault.isHash(name.hash, of: contents.finalize()) else {
      throw PackHeaderCodec.damaged("The contents do not have the hash that the name says.")
    }
    if let failure { throw failure }
    return try pass.finish(lines, unfolded: kept, unfoldedSize: size)
  }
}

/// The first reading of a pack: nothing is kept but the header and the chain.
private struct VerifyingPass {
  let name: PackName
  let vault: any Vault
  private var header: PackHeader?
  private var reader = TransactionReader(salts: [])
  private var number: Int64 = 0
  private var chain: [UInt8] = []
  private var chains: [UInt8] = []
  private var changeCount = 0

  init(name: PackName, vault: any Vault) {
    self.name = name
    self.vault = vault
  }

  mutating func read(_ line: ArraySlice<UInt8>) throws {
    guard let header else { return try readHeader(line) }
    guard number < header.range.upperBound else { throw PackHeaderCodec.damaged("There are too many transactions.") }
    number += number < header.range.lowerBound ? header.range.lowerBound : 1
    let (hash, count) = try reader.skim(line, number: number)
    chain = LogChain.next(chain, hash)
    chains += chain
    changeCount += count
  }

  private mutating func readHeader(_ line: ArraySlice<UInt8>) throws {
    guard line.count <= PackDecoder.maximumHeaderSize else { throw PackHeaderCodec.damaged("The header is too long.") }
    let header = try PackHeaderCodec.read(line, vault: vault)
    guard header.replica == name.replica, header.range == name.range else {
      throw PackHeaderCodec.damaged("The header names other transactions than the object's name.")
    }
    self.header = header
    reader = TransactionReader(salts: header.salts)
    chain = header.chain.before
  }

  func finish(_ lines: FoldedLines, unfolded: [UInt8]?, unfoldedSize: Int) throws -> DecodedPack {
    guard let header, number == header.range.upperBound else {
      throw PackHeaderCodec.damaged("Transactions are missing.")
    }
    guard chain == header.chain.after else {
      throw SyncError(
        .brokenChain, operation: "read a pack", message: "The transactions do not add up to the header's chain.")
    }
    return DecodedPack(
      header: header, changeCount: changeCount, hasGaps: reader.hasGaps, unfoldedSize: unfoldedSize, lines: lines,
      unfolded: unfolded, chains: chains)
  }
}

/// A verified pack, folded and perhaps unfolded, with the chain after each of its transactions.
struct DecodedPack {
  let header: PackHeader
  /// Those left out within transactions included.
  let changeCount: Int
  /// Whether any are left out, or transactions as a whole.
  let hasGaps: Bool
  /// In bytes, whether they are held or not.
  let unfoldedSize: Int
  private let lines: FoldedLines
  private let unfolded: [UInt8]?
  /// After each transaction, one behind the other.
  private let chains: [UInt8]

  fileprivate init(
    header: PackHeader, changeCount: Int, hasGaps: Bool, unfoldedSize: Int, lines: FoldedLines, unfolded: [UInt8]?,
    chains: [UInt8]
  ) {
    self.header = header
    self.changeCount = changeCount
    self.hasGaps = hasGaps
    self.unfoldedSize = unfoldedSize
    self.lines = lines
    self.unfolded = unfolded
    self.chains = chains
  }

  /// In bytes.
  var foldedSize: Int { folded.count }

  /// What is held of the pack, in bytes.
  var heldSize: Int { foldedSize + (unfolded?.count ?? 0) }

  /// The object, opened.
  var folded: [UInt8] { lines.folded }

  /// The chain just before transaction `number`, which may be one past the last; `nil` outside the pack.
  func chain(before number: Int64) -> [UInt8]? { chain(after: number &- 1) }

  /// The chain just after transaction `number`, which may be one before the first; `nil` outside the pack.
  func chain(after number: Int64) -> [UInt8]? {
    if number == header.range.lowerBound - 1 { return header.chain.before }
    guard header.range.contains(number) else { return nil }
    let start = Int(number - header.range.lowerBound) * SHA256.byteCount
    return Array(chains[start..<(start + SHA256.byteCount)])
  }

  /// The second reading: one transaction at a time, until `body` returns `false`.
  ///
  /// - Throws: ``SyncError/Code/damagedObject`` or ``SyncError/Code/unsupportedFormat`` at a transaction that is its author's,
  ///   but of no form that is known here; those before it were handed over.
  func forEachTransaction(_ body: (PackTransaction) throws -> Bool) throws {
    var reader = TransactionReader(salts: header.salts)
    try forEachLine(from: header.range.lowerBound) { try body(reader.read($0, number: $1)) }
  }

  /// The lines of the transactions from `number` on, without their line feeds.
  func forEachLine(from number: Int64, _ body: (ArraySlice<UInt8>, Int64) throws -> Bool) throws {
    var transactions = try TransactionLines(self)
    try transactions.forEach { try $1 < number || body($0, $1) }
  }

  fileprivate func makeReader() throws -> LineReader {
    try unfolded.map(LineReader.init(unfolded:)) ?? LineReader(lines)
  }
}

/// Where the reading of a pack's transactions is.
struct TransactionLines {
  private let lines: LineReader
  private var number: Int64

  init(_ pack: DecodedPack) throws {
    lines = try pack.makeReader()
    number = pack.header.range.lowerBound
    // The header.
    _ = try lines.next()
  }

  /// The next transaction's line, without its line feed; `nil` behind the last one.
  private mutating func next() throws -> (line: ArraySlice<UInt8>, number: Int64)? {
    guard let line = try lines.next() else { return nil }
    defer { number = number.saturatingSuccessor }
    return (line, number)
  }

  /// The lines behind the last one that was read, until `body` returns `false`.
  mutating func forEach(_ body: (ArraySlice<UInt8>, Int64) throws -> Bool) throws {
    while let next = try next(), try body(next.line, next.number) {}
  }
}
