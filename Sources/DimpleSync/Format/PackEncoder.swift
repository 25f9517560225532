internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// Writes packs. Canonical: the same transactions, chain, vector and key give the same bytes.
enum PackEncoder {
  /// The JSON lines of `pack`, signed with `signingKey`.
  static func encode(_ pack: Pack, vault: any Vault, signingKey: [UInt8]) throws -> [UInt8] {
    var header = pack.header
    header.signature = try vault.sign(headerLine(header), with: signingKey)
    var bytes = headerLine(header)
    bytes.append(UInt8(ascii: "\n"))
    for transaction in pack.transactions {
      bytes += line(transaction)
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// The header's line, with the signature where there is one: what is signed is the line without.
  static func headerLine(_ header: PackHeader) -> [UInt8] {
    var writer = JSONWriter()
    writer.value(headerJSON(header))
    return writer.bytes
  }

  private static func headerJSON(_ header: PackHeader) -> JSON {
    let vector = header.vector.sorted { $0.key < $1.key }.map { replica, seen in
      JSON.Member(
        name: replica.description,
        value: .array(seen.ranges.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }))
    }
    var members: [JSON.Member] = [
      .init(name: "format", value: .integer(header.format)),
      .init(name: "vault", value: .string(header.vault)),
      .init(name: "kind", value: .string("log")),
      .init(name: "replica", value: .string(header.replica.description)),
      .init(name: "first", value: .integer(header.range.lowerBound)),
      .init(name: "last", value: .integer(header.range.upperBound)),
      .init(name: "before", value: .string(Hex.encode(header.chain.before))),
      .init(name: "after", value: .string(Hex.encode(header.chain.after))),
      .init(name: "vector", value: .object(vector)),
      .init(name: "key", value: .string(Hex.encode(header.publicKey))),
    ]
    if !header.signature.isEmpty {
      members.append(.init(name: "signature", value: .string(Hex.encode(header.signature))))
    }
    return .object(members)
  }

  /// A transaction's line, without the line feed: what the chain hashes.
  static func line(_ transaction: PackTransaction) -> [UInt8] {
    var writer = JSONWriter()
    writer.raw(#"{"number":"#)
    writer.integer(transaction.number)
    writer.raw(#","time":"#)
    writer.integer(transaction.time.rawValue)
    writer.raw(#","changes":"#)
    var expected = transaction.time.rawValue
    writer.list(transaction.changes, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { writer, change in
      write(change, ticks: change.time.rawValue - expected, to: &writer)
      expected = change.time.rawValue + 1
    }
    writer.raw("}")
    return writer.bytes
  }

  /// `ticks`: how far its time lies past the change before, less one; left out when 0, as it nearly always is.
  private static func write(_ change: PackChange, ticks: Int64, to writer: inout JSONWriter) {
    writer.raw(#"{"table":"#)
    writer.string(change.table)
    writer.raw(#","op":"#)
    writer.string(change.operation.rawValue)
    if ticks != 0 {
      writer.raw(#","ticks":"#)
      writer.integer(ticks)
    }
    writer.raw(#","key":"#)
    writer.list(change.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    if !change.columns.isEmpty {
      writer.raw(#","columns":"#)
      writer.list(change.columns, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, column in
        writer.string(column.name)
        writer.raw(":")
        ValueJSON.write(column.value, to: &writer)
      }
    }
    writer.raw("}")
  }
}

/// The hash chain that makes one replica's log verifiable however it is cut into packs:
/// `chain(0)` is 32 zero bytes, `chain(n) = SHA-256(chain(n-1) + line(n))`.
enum LogChain {
  static let start = [UInt8](repeating: 0, count: 32)

  static func next(_ chain: [UInt8], line: some Collection<UInt8>) -> [UInt8] {
    SHA256.hash(chain + line)
  }
}
