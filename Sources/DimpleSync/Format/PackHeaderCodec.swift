internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote

/// A pack's first line.
enum PackHeaderCodec {
  /// The line without its line feed, signed.
  static func write(_ header: PackHeader, vault: any Vault, signingKey: [UInt8]) throws -> [UInt8] {
    let unsigned = json(header)
    var members = unsigned.members ?? []
    let signature = try vault.sign(signedBytes(unsigned), with: signingKey)
    members.append(.init(name: "signature", value: .string(Hex.encode(signature))))
    return bytes(.object(members))
  }

  /// What the signature covers: the header in canonical form, with members that are not known here, but without
  /// `signature` and `vault`. So a pack may be carried to another vault as it is.
  private static func signedBytes(_ header: JSON) -> [UInt8] {
    bytes(.object((header.members ?? []).filter { $0.name != "signature" && $0.name != "vault" }))
  }

  /// The same header for another vault; everything else stays as it is, known or not.
  static func readdressed(_ line: ArraySlice<UInt8>, to vault: String) throws -> [UInt8] {
    guard var members = try JSONParser.parse(line).members,
      let index = members.firstIndex(where: { $0.name == "vault" })
    else { throw damaged("The header has no vault.") }
    members[index].value = .string(vault)
    return bytes(.object(members))
  }

  private static func bytes(_ json: JSON) -> [UInt8] {
    var writer = JSONWriter()
    writer.value(json)
    return writer.bytes
  }

  private static func json(_ header: PackHeader) -> JSON {
    func hex(_ name: String, _ bytes: [UInt8]) -> JSON.Member { .init(name: name, value: .string(Hex.encode(bytes))) }
    func vector(_ name: String, _ vector: [ReplicaID: RangeSet64]) -> JSON.Member {
      .init(name: name, value: VectorJSON.json(vector))
    }
    var members: [JSON.Member] = [
      .init(name: "format", value: .integer(header.format)),
      .init(name: "vault", value: .string(header.vault)),
      .init(name: "kind", value: .string("log")),
      .init(name: "replica", value: .string(header.replica.description)),
      .init(name: "first", value: .integer(header.range.lowerBound)),
      .init(name: "last", value: .integer(header.range.upperBound)),
      hex("before", header.chain.before), hex("after", header.chain.after),
      vector("vector", header.vector),
    ]
    if !header.elsewhere.isEmpty { members.append(vector("elsewhere", header.elsewhere)) }
    members.append(.init(name: "schema", value: .integer(header.schema)))
    if let app = header.app { members.append(.init(name: "app", value: .string(app))) }
    if let state = header.state {
      members.append(
        .init(
          name: "state", value: .object([hex("digest", state.digest), .init(name: "own", value: .integer(state.own))])))
    }
    members.append(.init(name: "salts", value: .object(header.salts.map { hex($0.table, $0.salt) })))
    members.append(hex("key", header.publicKey))
    return .object(members)
  }

  // MARK: - Reading

  /// - Throws: ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat``, ``SyncError/Code/forgedAuthor``.
  static func read(_ line: ArraySlice<UInt8>, vault: any Vault) throws -> PackHeader {
    let json = try JSONParser.parse(line)
    guard let format = json["format"]?.integerValue else { throw damaged("The header has no format.") }
    guard format == PackHeader.currentFormat else {
      throw unsupported("The pack has format \(format).")
    }
    guard let id = json["vault"]?.stringValue, vault.hasID(id) else {
      throw damaged("The pack belongs to another vault.")
    }
    guard let kind = json["kind"]?.stringValue else { throw damaged("The header is not complete.") }
    guard kind == "log" else { throw unsupported("The object is of a kind that is not known here.") }
    guard let replica = json["replica"]?.stringValue.flatMap(ReplicaID.init(hexadecimal:)),
      let first = json["first"]?.integerValue, let last = json["last"]?.integerValue, first >= 1, first <= last,
      last < .max, let before = hash(json["before"]), let after = hash(json["after"]),
      let schema = json["schema"]?.integerValue, schema >= 0,
      let publicKey = hash(json["key"]),
      let signature = json["signature"]?.stringValue.flatMap(Hex.decode)
    else { throw damaged("The header is not complete.") }
    guard vault.verify(signature, of: signedBytes(json), by: publicKey) else {
      throw SyncError(.forgedAuthor, operation: "read a pack", message: "The header's signature is not valid.")
    }
    return PackHeader(
      format: format, vault: id, replica: replica, range: first...last,
      chain: PackChain(before: before, after: after), vector: try vector(json["vector"]),
      elsewhere: try vector(json["elsewhere"]), schema: schema,
      app: json["app"]?.stringValue, state: try state(json["state"]), salts: try salts(json["salts"]),
      publicKey: publicKey, signature: signature)
  }

  static func damaged(_ message: String) -> SyncError {
    SyncError(
      .damagedObject, operation: "read a pack", message: message,
      hint: "Its author has what it holds, and sends it again when asked to repair the vault.")
  }

  static func unsupported(_ message: String) -> SyncError {
    SyncError(
      .unsupportedFormat, operation: "read a pack", message: message,
      hint: "It was written by a newer version of the app: update this one.")
  }

  private static func hash(_ json: JSON?) -> [UInt8]? {
    guard let bytes = json?.stringValue.flatMap(Hex.decode), bytes.count == 32 else { return nil }
    return bytes
  }

  private static func vector(_ json: JSON?) throws -> [ReplicaID: RangeSet64] {
    guard let vector = VectorJSON.vector(json) else { throw damaged("The header's vector cannot be read.") }
    return vector
  }

  private static func state(_ json: JSON?) throws -> PackHeader.State? {
    guard let json else { return nil }
    guard let digest = json["digest"]?.stringValue.flatMap(Hex.decode), let own = json["own"]?.integerValue, own >= 0
    else { throw damaged("The header's state cannot be read.") }
    return PackHeader.State(digest: digest, own: own)
  }

  private static func salts(_ json: JSON?) throws -> [PackHeader.Salt] {
    try (json?.members ?? []).map { member in
      guard let salt = member.value.stringValue.flatMap(Hex.decode), salt.count == ChangeHash.saltSize else {
        throw damaged("The header's salts cannot be read.")
      }
      return PackHeader.Salt(table: member.name, salt: salt)
    }
  }
}
