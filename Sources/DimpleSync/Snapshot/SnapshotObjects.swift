internal import DimplePrimitives
internal import DimpleRemote

/// Lists and gets what lies under `snap/`.
struct SnapshotObjects {
  /// Of a listing, which is kept: a million objects of S3's pages.
  static let maximumPages = 1000

  let session: SyncSession

  private var vault: any Vault { session.vault }

  func list() async throws -> SnapshotCatalog {
    session.progress.advance(.listing)
    var objects: [SnapshotCatalog.StoredObject] = []
    try await session.storage.forEachPage(prefix: SnapshotName.prefix, maximumPages: Self.maximumPages) { page in
      objects += page.objects.compactMap(stored)
    }
    return SnapshotCatalog(objects)
  }

  /// `nil` for an object that is not of this vault.
  private func stored(_ object: ObjectInfo) -> SnapshotCatalog.StoredObject? {
    let key = object.key
    guard key.hasPrefix(SnapshotName.prefix), key.hasSuffix(vault.objectExtension) else { return nil }
    let name = key.dropFirst(SnapshotName.prefix.count).dropLast(vault.objectExtension.count)
    return vault.openName(String(name)).flatMap(SnapshotName.init(record:)).map {
      .init(key: key, name: $0, size: object.size)
    }
  }

  /// The JSON lines of an object. Failures of the far side are thrown as they are; an object that is there but cannot be used,
  /// and one that is gone, as ``SyncError``.
  func lines(_ key: String) async throws -> [UInt8] {
    let limit = session.options.maximumObjectSize
    do {
      let sealed = try await session.storage.get(key, maximumSize: limit)
      return try Gzip.decompress(vault.open(sealed), maximumSize: limit)
    } catch let error as RemoteError where [.notFound, .damaged, .tooLarge].contains(error.code) {
      throw SyncError(
        .damagedObject, operation: "fetch a snapshot", message: error.message, hint: error.hint, underlying: error)
    }
  }

  func manifest(_ object: SnapshotCatalog.StoredObject) async throws -> SnapshotManifest {
    try SnapshotManifestDecoder.decode(await lines(object.key), name: object.name, vault: vault)
  }

  /// The same; `nil` for one that cannot be used, or is gone.
  func usableManifest(_ object: SnapshotCatalog.StoredObject) async throws -> SnapshotManifest? {
    do { return try await manifest(object) } catch is SyncError { return nil }
  }

  func key(of name: SnapshotName) throws -> String {
    SnapshotName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
  }

  /// Folds, seals and puts.
  ///
  /// - Returns: As a listing will name it.
  func put(
    _ lines: [UInt8], _ kind: SnapshotName.Kind, of id: SnapshotID, index: Int
  ) async throws -> SnapshotCatalog.StoredObject {
    let name = SnapshotName(kind: kind, id: id, index: UInt32(index), contentHash: vault.hash(SHA256.hash(lines)))
    let key = try key(of: name)
    let sealed = try vault.seal(Gzip.compress(lines))
    try await session.storage.put(key, sealed)
    return .init(key: key, name: name, size: Int64(sealed.count))
  }
}
