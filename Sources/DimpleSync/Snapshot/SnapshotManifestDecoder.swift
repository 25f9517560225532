internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote

/// Reads manifests, from a bucket that may be hostile: everything is checked before any of it is believed. Never traps.
enum SnapshotManifestDecoder {
  /// - Throws: ``SyncError`` with ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat`` or
  ///   ``SyncError/Code/forgedAuthor``.
  static func decode(_ bytes: [UInt8], name: SnapshotName, vault: any Vault) throws -> SnapshotManifest {
    guard vault.isHash(name.hash, of: SHA256.hash(bytes)) else {
      throw damaged("The contents do not have the hash that the name says.")
    }
    guard bytes.last == UInt8(ascii: "\n") else { throw damaged("The line does not end.") }
    let json = try JSONParser.parse(bytes.dropLast())
    guard let format = json["format"]?.integerValue else { throw damaged("It has no format.") }
    guard format <= PackHeader.currentFormat, format >= 1 else {
      throw SyncError(
        .unsupportedFormat, operation: "read a snapshot", message: "The snapshot has format \(format).",
        hint: "It was written by a newer version of the app: update this one.")
    }
    guard let id = json["vault"]?.stringValue, vault.hasID(id) else {
      throw damaged("It belongs to another vault.")
    }
    guard json["kind"]?.stringValue == "snapshot",
      let writer = json["writer"]?.stringValue.flatMap(ReplicaID.init(hexadecimal:)),
      let latest = json["latest"]?.integerValue, latest >= 0, latest <= HybridTime.maximum.rawValue,
      let parts = json["parts"]?.arrayValue, let replicas = json["replicas"]?.members,
      let schema = json["schema"]?.integerValue, schema >= 0, let publicKey = bytes32(json["key"]),
      let signature = json["signature"]?.stringValue.flatMap(Hex.decode)
    else { throw damaged("It is not complete.") }
    try verify(signature, of: json, by: publicKey, vault: vault)
    let manifest = SnapshotManifest(
      format: format, vault: id, writer: writer, latest: HybridTime(rawValue: latest), parts: try parts.map(part),
      replicas: try coverage(replicas), schema: schema, app: json["app"]?.stringValue,
      digest: try json["digest"].map(digest), publicKey: publicKey, signature: signature)
    guard manifest.id == name.id, manifest.parts.count == name.index else {
      throw damaged("It describes another snapshot than its name.")
    }
    guard manifest.replicas[writer].map({ $0.publicKey == publicKey }) ?? true else {
      throw damaged("It names two keys of its writer.")
    }
    return manifest
  }

  private static func damaged(_ message: String) -> SyncError {
    SyncError(
      .damagedObject, operation: "read a snapshot", message: message,
      hint: "Packs are read instead; the next snapshot replaces it.")
  }

  /// The signature covers the line without the member `signature`, unknown members included.
  private static func verify(_ signature: [UInt8], of manifest: JSON, by publicKey: [UInt8], vault: any Vault) throws {
    var writer = JSONWriter()
    writer.value(.object((manifest.members ?? []).filter { $0.name != "signature" }))
    guard vault.verify(signature, of: writer.bytes, by: publicKey) else {
      throw SyncError(.forgedAuthor, operation: "read a snapshot", message: "The manifest's signature is not valid.")
    }
  }

  private static func bytes32(_ json: JSON?) -> [UInt8]? {
    guard let bytes = json?.stringValue.flatMap(Hex.decode), bytes.count == 32 else { return nil }
    return bytes
  }

  private static func digest(_ json: JSON) throws -> StateDigest {
    guard let digest = json.stringValue.flatMap(StateDigest.init(hexadecimal:)) else {
      throw damaged("Its digest cannot be read.")
    }
    return digest
  }

  private static func part(_ json: JSON) throws -> SnapshotManifest.Part {
    guard let hash = json["hash"]?.stringValue.flatMap(Hex.decode), hash.count == 16,
      let size = json["size"]?.integerValue, size >= 0, let rows = json["rows"]?.integerValue, rows >= 0
    else { throw damaged("A part cannot be read.") }
    let big = try (json["big"]?.arrayValue ?? []).map { hash in
      guard let hash = bytes32(hash) else { throw damaged("A part cannot be read.") }
      return hash
    }
    return SnapshotManifest.Part(hash: hash, size: size, rows: rows, big: big)
  }

  private static func coverage(_ members: [JSON.Member]) throws -> [ReplicaID: SnapshotManifest.Coverage] {
    var replicas: [ReplicaID: SnapshotManifest.Coverage] = [:]
    for member in members {
      guard let replica = ReplicaID(hexadecimal: member.name), let publicKey = bytes32(member.value["key"]),
        let runs = member.value["runs"]?.arrayValue
      else { throw damaged("What it covers cannot be read.") }
      replicas[replica] = SnapshotManifest.Coverage(publicKey: publicKey, runs: try ascending(runs.map(run)))
    }
    return replicas
  }

  private static func run(_ json: JSON) throws -> Seen.Run {
    guard let parts = json.arrayValue, parts.count == 4, let first = parts[0].integerValue,
      let last = parts[1].integerValue, first >= 1, first <= last, last < .max, let before = bytes32(parts[2]),
      let after = bytes32(parts[3])
    else { throw damaged("What it covers cannot be read.") }
    return Seen.Run(range: first...last, chain: PackChain(before: before, after: after))
  }

  private static func ascending(_ runs: [Seen.Run]) throws -> [Seen.Run] {
    for (run, next) in zip(runs, runs.dropFirst()) where next.range.lowerBound <= run.range.upperBound + 1 {
      throw damaged("What it covers is out of order.")
    }
    return runs
  }
}
