internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote

/// What makes a snapshot's parts count: which they are, and what they cover. docs/FORMAT.md has the bytes.
struct SnapshotManifest: Equatable, Sendable {
  /// An object that holds some of the rows.
  struct Part: Equatable, Sendable {
    /// As in its name, 16 bytes.
    var hash: [UInt8]
    /// Sealed, in bytes.
    var size: Int64
    var rows: Int64
    /// The hashes of the parts of large values that the rows refer to, ascending.
    var big: [[UInt8]] = []
  }

  /// What the snapshot covers of one replica, and how its later packs are verified.
  struct Coverage: Equatable, Sendable {
    var publicKey: [UInt8]
    var runs: [Seen.Run]
  }

  var format = PackHeader.currentFormat
  /// `Vault.id` of the vault it was written to.
  var vault: String
  var writer: ReplicaID
  /// The latest stamp in it: whoever merges it moves its clock past that.
  var latest: HybridTime
  var parts: [Part]
  var replicas: [ReplicaID: Coverage]
  /// How many migrations the writer's database had applied, or 0.
  var schema: Int64 = 0
  /// The writer's app and its version, in the app's own words.
  var app: String?
  /// Of the state that it is of.
  var digest: StateDigest?
  /// The writer's public key.
  var publicKey: [UInt8]
  var signature: [UInt8] = []

  var vector: [ReplicaID: RangeSet64] { replicas.mapValues { RangeSet64($0.runs.map(\.range)) } }

  var id: SnapshotID {
    let counts = replicas.values.flatMap(\.runs).map { $0.range.upperBound - $0.range.lowerBound + 1 }
    return SnapshotID(covered: saturatingSum(counts), writer: writer)
  }

  /// All parts, sealed, in bytes.
  var size: Int64 { saturatingSum(parts.map(\.size)) }

  func name(ofPart index: Int) -> SnapshotName {
    SnapshotName(kind: .part, id: id, index: UInt32(index), contentHash: parts[index].hash)
  }
}

extension SnapshotManifest {
  /// The JSON line, signed with `signingKey`. Canonical: the same manifest gives the same bytes.
  func encoded(vault: any Vault, signingKey: [UInt8]) throws -> [UInt8] {
    var signed = self
    signed.signature = try vault.sign(line(), with: signingKey)
    return signed.line() + [UInt8(ascii: "\n")]
  }

  /// With the signature where there is one: what is signed is the line without.
  private func line() -> [UInt8] {
    var members: [JSON.Member] = [
      .init(name: "format", value: .integer(format)),
      .init(name: "vault", value: .string(vault)),
      .init(name: "kind", value: .string("snapshot")),
      .init(name: "writer", value: .string(writer.description)),
      .init(name: "latest", value: .integer(latest.rawValue)),
      .init(name: "parts", value: .array(parts.map(Self.json))),
      .init(
        name: "replicas",
        value: .object(
          replicas.sorted { $0.key < $1.key }
            .map { JSON.Member(name: $0.key.description, value: Self.json($0.value)) })),
      .init(name: "schema", value: .integer(schema)),
    ]
    if let app { members.append(.init(name: "app", value: .string(app))) }
    if let digest { members.append(.init(name: "digest", value: .string(digest.hexadecimal))) }
    members.append(.init(name: "key", value: .string(Hex.encode(publicKey))))
    if !signature.isEmpty { members.append(.init(name: "signature", value: .string(Hex.encode(signature)))) }
    var writer = JSONWriter()
    writer.value(.object(members))
    return writer.bytes
  }

  private static func json(_ part: Part) -> JSON {
    var members: [JSON.Member] = [
      .init(name: "hash", value: .string(Hex.encode(part.hash))), .init(name: "size", value: .integer(part.size)),
      .init(name: "rows", value: .integer(part.rows)),
    ]
    if !part.big.isEmpty {
      members.append(.init(name: "big", value: .array(part.big.map { .string(Hex.encode($0)) })))
    }
    return .object(members)
  }

  private static func json(_ coverage: Coverage) -> JSON {
    let runs = coverage.runs.map { run in
      JSON.array([
        .integer(run.range.lowerBound), .integer(run.range.upperBound), .string(Hex.encode(run.chain.before)),
        .string(Hex.encode(run.chain.after)),
      ])
    }
    return .object([
      .init(name: "key", value: .string(Hex.encode(coverage.publicKey))), .init(name: "runs", value: .array(runs)),
    ])
  }
}
