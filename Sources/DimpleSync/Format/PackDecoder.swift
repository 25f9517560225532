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
    guard vault.isHash(name.hash, of: bytes) else {
      throw damaged("The contents do not have the hash that the name says.")
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let headerLine = lines.first else {
      throw damaged("The last line does not end.")
    }
    let header = try header(headerLine, vault: vault)
    guard header.replica == name.replica, header.range == name.range else {
      throw damaged("The header names other transactions than the object's name.")
    }
    guard lines.count - 1 == header.range.count else { throw damaged("Transactions are missing.") }

    var chain = header.chain.before
    var chains: [[UInt8]] = []
    var transactions: [PackTransaction] = []
    for (number, line) in zip(header.range, lines.dropFirst()) {
      transactions.append(try transaction(JSONParser.parse(line), number: number))
      chain = LogChain.next(chain, line: line)
      chains.append(chain)
    }
    guard chain == header.chain.after else {
      throw SyncError(
        .brokenChain, operation: "read a pack", message: "The transactions do not add up to the header's chain.")
    }
    return DecodedPack(pack: Pack(header: header, transactions: transactions), chains: chains)
  }

  private static func damaged(_ message: String) -> SyncError {
    SyncError(
      .damagedObject, operation: "read a pack", message: message,
      hint: "Other objects are not affected; its author can write it again.")
  }

  private static func header(_ line: ArraySlice<UInt8>, vault: any Vault) throws -> PackHeader {
    let json = try JSONParser.parse(line)
    guard let format = json["format"]?.integerValue else { throw damaged("The header has no format.") }
    guard format <= PackHeader.currentFormat, format >= 1 else {
      throw SyncError(
        .unsupportedFormat, operation: "read a pack", message: "The pack has format \(format).",
        hint: "It was written by a newer version of the app: update this one.")
    }
    guard let id = json["vault"]?.stringValue, vault.hasID(id) else {
      throw damaged("The pack belongs to another vault.")
    }
    guard json["kind"]?.stringValue == "log",
      let replica = json["replica"]?.stringValue.flatMap(ReplicaID.init(hexadecimal:)),
      let first = json["first"]?.integerValue, let last = json["last"]?.integerValue, first >= 1, first <= last,
      let before = hash(json["before"]), let after = hash(json["after"]),
      let publicKey = hash(json["key"]),
      let signature = json["signature"]?.stringValue.flatMap(Hex.decode)
    else { throw damaged("The header is not complete.") }
    try verify(signature, of: json, by: publicKey, vault: vault)
    return PackHeader(
      format: format, vault: id, replica: replica, range: first...last,
      chain: PackChain(before: before, after: after), vector: try vector(json["vector"]), publicKey: publicKey,
      signature: signature)
  }

  /// The signature covers the header's line without the member `signature`, unknown members included.
  private static func verify(_ signature: [UInt8], of header: JSON, by publicKey: [UInt8], vault: any Vault) throws {
    var writer = JSONWriter()
    writer.value(.object((header.members ?? []).filter { $0.name != "signature" }))
    guard vault.verify(signature, of: writer.bytes, by: publicKey) else {
      throw SyncError(.forgedAuthor, operation: "read a pack", message: "The header's signature is not valid.")
    }
  }

  private static func hash(_ json: JSON?) -> [UInt8]? {
    guard let bytes = json?.stringValue.flatMap(Hex.decode), bytes.count == 32 else { return nil }
    return bytes
  }

  private static func vector(_ json: JSON?) throws -> [ReplicaID: RangeSet64] {
    var vector: [ReplicaID: RangeSet64] = [:]
    for member in json?.members ?? [] {
      guard let replica = ReplicaID(hexadecimal: member.name), let ranges = member.value.arrayValue else {
        throw damaged("The header's vector cannot be read.")
      }
      vector[replica] = RangeSet64(try ranges.map(range))
    }
    return vector
  }

  private static func range(_ json: JSON) throws -> ClosedRange<Int64> {
    guard let bounds = json.arrayValue, bounds.count == 2, let first = bounds[0].integerValue,
      let last = bounds[1].integerValue, first >= 1, first <= last
    else { throw damaged("The header's vector cannot be read.") }
    return first...last
  }

  private static func transaction(_ json: JSON, number: Int64) throws -> PackTransaction {
    guard json["number"]?.integerValue == number, var time = json["time"]?.integerValue,
      let changes = json["changes"]?.arrayValue, !changes.isEmpty
    else { throw damaged("Transaction \(number) cannot be read.") }
    return PackTransaction(
      number: number,
      changes: try changes.map { json in
        let ticks = try json["ticks"].map { try positive($0) } ?? 0
        guard time >= 0, time <= HybridTime.maximum.rawValue - ticks else {
          throw damaged("Transaction \(number) has an impossible time.")
        }
        let change = try change(json, time: HybridTime(rawValue: time + ticks))
        time = change.time.rawValue + 1
        return change
      })
  }

  private static func positive(_ json: JSON) throws -> Int64 {
    guard let value = json.integerValue, value > 0 else { throw damaged("A change's ticks cannot be read.") }
    return value
  }

  private static func change(_ json: JSON, time: HybridTime) throws -> PackChange {
    guard let table = json["table"]?.stringValue, let key = json["key"]?.arrayValue, !key.isEmpty,
      let operation = json["op"]?.stringValue.flatMap(Change.Operation.init(rawValue:))
    else { throw damaged("A change cannot be read.") }
    return PackChange(
      time: time, table: table, key: try key.map(ValueJSON.read), operation: operation,
      columns: try (json["columns"]?.members ?? []).map {
        ColumnValue(name: $0.name, value: try ValueJSON.read($0.value))
      })
  }
}

/// A verified pack with the chain after each of its transactions.
struct DecodedPack {
  var pack: Pack
  var chains: [[UInt8]]

  /// The chain just before transaction `number`, which may be one past the last; `nil` outside the pack.
  func chain(before number: Int64) -> [UInt8]? {
    let first = pack.header.range.lowerBound
    guard number >= first, number <= pack.header.range.upperBound + 1 else { return nil }
    return number == first ? pack.header.chain.before : chains[Int(number - first) - 1]
  }
}
