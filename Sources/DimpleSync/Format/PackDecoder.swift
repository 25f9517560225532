internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// Reads packs, from a bucket that may be hostile: everything is checked against everything else before any of it is
/// believed. Never traps.
enum PackDecoder {
  /// A pack's JSON lines, verified: name and header agree, the contents have the hash that the name says, the transactions
  /// are numbered without gaps and carry the chain from `before` to `after`, the header is signed by its own key (that the
  /// key is this replica's is the caller's to check).
  ///
  /// - Throws: ``SyncError`` with ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat``,
  ///   ``SyncError/Code/brokenChain`` or ``SyncError/Code/forgedAuthor``.
  static func decode(_ bytes: [UInt8], name: PackName, vault: any Vault) throws -> DecodedPack {
    guard vault.isHash(name.hash, of: SHA256.hash(bytes)) else {
      throw PackHeaderCodec.damaged("The contents do not have the hash that the name says.")
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let headerLine = lines.first else {
      throw PackHeaderCodec.damaged("The last line does not end.")
    }
    let header = try PackHeaderCodec.read(headerLine, vault: vault)
    guard header.replica == name.replica, header.range == name.range else {
      throw PackHeaderCodec.damaged("The header names other transactions than the object's name.")
    }
    guard lines.count - 1 == header.range.count else { throw PackHeaderCodec.damaged("Transactions are missing.") }

    var reader = TransactionReader(salts: header.salts)
    var chain = header.chain.before
    var decoded = DecodedPack(pack: Pack(header: header, transactions: []), lines: bytes)
    for (number, line) in zip(header.range, lines.dropFirst()) {
      let (transaction, hash) = try reader.read(line, number: number)
      chain = LogChain.next(chain, hash)
      decoded.append(transaction, chain: chain, start: line.startIndex)
    }
    guard chain == header.chain.after else {
      throw SyncError(
        .brokenChain, operation: "read a pack", message: "The transactions do not add up to the header's chain.")
    }
    return decoded
  }
}

/// A verified pack with its lines, and the chain after each of its transactions.
struct DecodedPack {
  var pack: Pack
  private let lines: [UInt8]
  /// Where each transaction's line starts.
  private var starts: [Int] = []
  /// After each transaction, one behind the other.
  private var chains: [UInt8] = []

  fileprivate init(pack: Pack, lines: [UInt8]) {
    self.pack = pack
    self.lines = lines
  }

  fileprivate mutating func append(_ transaction: PackTransaction, chain: [UInt8], start: Int) {
    pack.transactions.append(transaction)
    chains += chain
    starts.append(start)
  }

  /// The chain just before transaction `number`, which may be one past the last; `nil` outside the pack.
  func chain(before number: Int64) -> [UInt8]? {
    let first = pack.header.range.lowerBound
    guard number >= first, number <= pack.header.range.upperBound.saturatingSuccessor else { return nil }
    if number == first { return pack.header.chain.before }
    let end = Int(number - first) * SHA256.byteCount
    guard end <= chains.count else { return nil }
    return Array(chains[(end - SHA256.byteCount)..<end])
  }

  /// The lines of the transactions from `number` to the last.
  func lines(from number: Int64) -> ArraySlice<UInt8> {
    let first = pack.header.range.lowerBound
    guard number > first else { return lines[(starts.first ?? lines.count)...] }
    return Int(number - first) < starts.count ? lines[starts[Int(number - first)]...] : []
  }
}
