/// What a listing of `snap/` says: which snapshots are whole, and what else lies there.
struct SnapshotCatalog: Equatable {
  struct StoredObject: Hashable, Sendable {
    /// The object's key.
    var key: String
    var name: SnapshotName
    /// Sealed, in bytes.
    var size: Int64
  }

  /// A manifest all of whose parts seem to be there.
  struct Candidate: Hashable, Sendable {
    var manifest: StoredObject
    /// All parts, in bytes.
    var size: Int64
  }

  /// Every object of a snapshot.
  private(set) var objects: [StoredObject] = []
  /// Newest first.
  private(set) var candidates: [Candidate] = []

  init(_ objects: [StoredObject]) {
    self.objects = objects
    for (_, group) in Dictionary(grouping: objects, by: \.name.id) {
      let parts = group.filter { $0.name.kind == .part }
      let indexes = Set(parts.map(\.name.index))
      for manifest in group where manifest.name.kind == .manifest {
        guard indexes.count >= manifest.name.index,
          indexes.filter({ $0 < manifest.name.index }).count == manifest.name.index
        else { continue }
        candidates.append(Candidate(manifest: manifest, size: saturatingSum(parts.map(\.size))))
      }
    }
    candidates.sort { left, right in
      left.manifest.name.id == right.manifest.name.id
        ? left.manifest.key < right.manifest.key : left.manifest.name.id > right.manifest.name.id
    }
  }

  /// A snapshot that is read, and under which name its manifest lies there.
  struct Whole: Sendable {
    var manifest: SnapshotManifest
    var name: SnapshotName

    fileprivate var names: [SnapshotName] { [name] + manifest.parts.indices.map { manifest.name(ofPart: $0) } }
  }

  /// What is of no use once `new` is there, with `previous` behind it: older snapshots, parts whose manifest never came, and what
  /// the same writer made of the same transactions before. What is newer than `previous` and of others stays, for it may be on
  /// its way, or of a version that is not understood here.
  ///
  /// - Returns: Manifests before parts, the order in which they are to be removed: no manifest shall be there without its parts.
  func superfluous(keeping new: Whole, previous: Whole?) -> [StoredObject] {
    let writer = new.name.id.writer
    let kept = Set(new.names + (previous?.names ?? []))
    return objects.filter { object in
      let id = object.name.id
      if kept.contains(object.name) { return false }
      if id == new.name.id { return true }
      if let previous, id <= previous.name.id { return id < previous.name.id || id.writer == writer }
      return id.writer == writer && id < new.name.id
    }.sorted { $0.name.kind.rawValue > $1.name.kind.rawValue }
  }
}
