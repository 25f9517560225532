/// One moment of a database, for as many reads as are wanted, until it is released or let go.
///
/// `Sendable`: use it from any thread and any task; its reads take turns. It has a connection of its own, so it takes none
/// from the pool's readers and never makes a write wait. But as long as it is there, the write-ahead log cannot be
/// emptied beyond its moment, and grows with each write: release it when it has served.
public final class DatabaseSnapshot: Sendable {
  let lane: Lane
  private let pool: SnapshotPool
  private let id: UInt64

  /// From here on, letting the snapshot go gives its place back.
  init(_ place: PinnedPlace, of pool: SnapshotPool) throws {
    lane = place.lane
    id = place.id
    self.pool = pool
    try lane.run { try $0.beginPinnedRead() }
  }

  deinit { pool.take(id)?.closeWhenIdle() }

  /// Reads, on this thread, what was committed when the snapshot was made. The closure may not write.
  ///
  /// - Throws: ``StoreError``: `closed` after ``release()`` and after the database was closed, `suspended` after it was
  ///   suspended; `nestedTransaction` inside one of the snapshot's own closures.
  public func read<T>(_ body: (Connection) throws -> T) throws -> T {
    guard !lane.isHeldByCurrentThread else {
      throw StoreError(
        .nestedTransaction, operation: "read", message: "The snapshot was used inside one of its own closures.",
        hint: "Use the connection that the closure is given.")
    }
    return try lane.run { try $0.inPinnedRead(body) }
  }

  /// As the synchronous form, on a thread of the snapshot's own. Cancelling the task interrupts the query and throws
  /// `CancellationError`; the snapshot stays usable.
  public func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await lane.run { try $0.inPinnedRead(body) }
  }

  /// Lets the moment go, after the read that runs. Releasing again does nothing.
  ///
  /// Not inside one of the snapshot's own closures, where it would wait for itself: it throws `nestedTransaction`.
  public func release() throws {
    guard !lane.isHeldByCurrentThread else {
      throw StoreError(
        .nestedTransaction, operation: "release", message: "The snapshot was released inside one of its own closures.")
    }
    pool.take(id)?.close()
  }
}

extension Database {
  /// Pins what is committed now, own writes and other processes' alike, for reads that are to agree with one another.
  ///
  /// Waits for nobody. At most ``Configuration/maximumSnapshotCount`` at once, open cursors included, beside the readers
  /// of the pool. Ended by ``close()`` and ``suspend()``.
  ///
  /// - Throws: ``StoreError``: `tooManySnapshots`; `unsupportedFeature` in memory and without a write-ahead log, where a
  ///   snapshot would keep all others out; `closed`, `suspended`.
  public func snapshot() throws -> DatabaseSnapshot {
    guard !isInMemory, configuration.hasReaders else {
      throw StoreError(
        .unsupportedFeature, operation: "snapshot",
        message: "A database in memory, or without a write-ahead log, has no snapshots.",
        hint: "Use read { }, or a file: Database.temporary().")
    }
    try readers.checkOpen()
    return try DatabaseSnapshot(snapshots.reserve(label: "dimple.\(configuration.label).snapshot"), of: snapshots)
  }
}
