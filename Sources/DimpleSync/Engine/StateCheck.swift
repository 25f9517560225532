internal import DimpleChangelog
internal import DimpleStore

/// Compares the merged state with what others say of theirs: who has merged the same changes must have the same digest.
///
/// An alarm, not a repair: a difference is a fault of this library, of a disk, or of somebody who wrote to a database behind
/// the library's back.
enum StateCheck {
  /// What this database says of its own state in a pack's header; `nil` where it never merged, or was not shown all changes.
  static func state(_ connection: Connection) throws -> PackHeader.State? {
    guard try SyncSetting.hasGaps.get(connection) == nil, let digest = try DigestKeeper.stored(connection) else {
      return nil
    }
    return PackHeader.State(digest: digest.bytes, own: try SyncSetting.folded.integer(connection) ?? 0)
  }

  /// The authors among `headers` that merged the same changes as this database, and have another state.
  ///
  /// - Parameter schema: The number of migrations here: devices with others may call things by other names.
  static func diverged(
    _ headers: [PackHeader], own: ReplicaID, schema: Int64, _ connection: Connection
  ) throws -> [ReplicaID] {
    guard !headers.isEmpty, let mine = try state(connection) else { return [] }
    let vector = try SeenTable.vectorOverAllVaults(connection)
    var diverged: [ReplicaID] = []
    for header in headers where header.schema == schema && !diverged.contains(header.replica) {
      guard let theirs = header.state, theirs.digest != mine.digest else { continue }
      var (here, there) = (vector, header.vector)
      // Each knows all of its own changes up to a number.
      here[own] = upTo(mine.own)
      there[header.replica] = upTo(theirs.own)
      if here.filter({ !$0.value.isEmpty }) == there.filter({ !$0.value.isEmpty }) { diverged.append(header.replica) }
    }
    return diverged
  }

  private static func upTo(_ last: Int64) -> RangeSet64 { last > 0 ? RangeSet64([1...last]) : RangeSet64() }
}

extension StateDigest {
  /// 16, big-endian.
  var bytes: [UInt8] { [high, low].flatMap { word in withUnsafeBytes(of: word.bigEndian, Array.init) } }
}
