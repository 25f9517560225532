internal import DimpleMutex

/// Whose rows a cursor iterates over.
@usableFromInline enum CursorSource: Sendable {
  case database(Database)
  case snapshot(DatabaseSnapshot)
}

/// A cursor's statement on a connection that stays at its moment. Letting it go gives back what it holds, at once and
/// without waiting.
final class CursorLease: Sendable {
  /// The connection's number for the statement.
  let id = CursorLease.lastID.add(1, ordering: .relaxed).newValue
  let lane: Lane
  private let place: PinnedPlace?
  private let pool: SnapshotPool?

  private static let lastID = Atomic<UInt64>(0)

  /// On a connection of the cursor's own.
  init(database: Database) throws {
    try database.readers.checkOpen()
    let place = try database.snapshots.reserve(label: "dimple.\(database.configuration.label).cursor")
    self.place = place
    lane = place.lane
    pool = database.snapshots
  }

  /// On a snapshot's connection, beside others.
  init(snapshot: DatabaseSnapshot) {
    lane = snapshot.lane
    place = nil
    pool = nil
  }

  deinit {
    if let place {
      pool?.release(place.id)
    } else {
      let id = id
      lane.submit { $0.endCursor(id) }
    }
  }

  /// Takes the moment, unless the snapshot has, and the first rows.
  func firstBatch<Element>(_ query: RowCursor<Element>.Query) async throws -> CursorBatch<Element> {
    let (id, takesMoment) = (id, place != nil)
    return try await lane.run { connection in
      if takesMoment { try connection.beginPinnedRead() }
      return try connection.inPinnedRead { connection in
        try connection.beginCursor(id, query.sql)
        return try connection.nextBatch(ofCursor: id, limit: query.batchSize, fill: query.fill)
      }
    }
  }

  /// The rows after those.
  func nextBatch<Element>(_ query: RowCursor<Element>.Query) async throws -> CursorBatch<Element> {
    let id = id
    return try await lane.run { connection in
      try connection.inPinnedRead { try $0.nextBatch(ofCursor: id, limit: query.batchSize, fill: query.fill) }
    }
  }
}
