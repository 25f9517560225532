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

  /// What is of no use once `new` is there, with `previous` behind it: older snapshots, parts whose manifest never came.
  /// What is newer than `previous` and of others stays, for it may be on its way, or of a version that is not understood here.
  func superfluous(keeping new: SnapshotManifest, previous: SnapshotManifest?) -> [StoredObject] {
    let kept = Set(
      [new, previous].compactMap { $0 }.flatMap { manifest in
        manifest.parts.indices.map { manifest.name(ofPart: $0) }
      })
    let keptIDs = Set([new.id] + [previous?.id].compactMap { $0 })
    return objects.filter { object in
      let id = object.name.id
      if keptIDs.contains(id) { return object.name.kind == .part && !kept.contains(object.name) }
      if let previous { return id < previous.id || (id.writer == new.writer && id < new.id) }
      return id.writer == new.writer && id < new.id
    }
  }
}
