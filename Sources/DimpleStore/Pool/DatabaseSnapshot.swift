internal import DimpleMutex

/// One moment of a database, for as many reads as are wanted, until it is released or let go.
///
/// `Sendable`: use it from any thread and any task; its reads take turns. It has a connection of its own, so it takes none
/// from the pool's readers and never makes a write wait. But as long as it is there, the write-ahead log cannot be
/// emptied beyond its moment, and grows with each write: release it when it has served.
public final class DatabaseSnapshot: Sendable {
  private let lane: Lane
  private let pool: SnapshotPool
  private let id: UInt64

  fileprivate init(lane: Lane, pool: SnapshotPool, id: UInt64) {
    self.lane = lane
    self.pool = pool
    self.id = id
  }

  deinit { pool.take(id)?.closeWhenIdle() }

  /// Reads, on this thread, what was committed when the snapshot was made. The closure may not write.
  ///
  /// - Throws: ``StoreError``: `closed` after ``release()`` and after the database was closed or suspended;
  ///   `nestedTransaction` inside one of the snapshot's own closures.
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

/// The snapshots that a database has lent out.
final class SnapshotPool: Sendable {
  private struct State {
    var lanes: [UInt64: Lane] = [:]
    var lastID: UInt64 = 0
  }

  private let limit: Int
  private let open: @Sendable () throws -> Connection
  private let state = Mutex(State())

  init(limit: Int, open: @escaping @Sendable () throws -> Connection) {
    self.limit = max(0, limit)
    self.open = open
  }

  /// How many there are.
  var count: Int { state.withLock { $0.lanes.count } }

  func make(label: String) throws -> DatabaseSnapshot {
    let open = open
    let lane = Lane(count: 1, label: label, canReopen: false) { try open() }
    let id: UInt64? = state.withLock { state in
      guard state.lanes.count < limit else { return nil }
      state.lastID += 1
      state.lanes[state.lastID] = lane
      return state.lastID
    }
    guard let id else {
      throw StoreError(
        .tooManySnapshots, operation: "snapshot", message: "\(limit) snapshots are pinned already.",
        hint: "Release those that are not needed any more, or raise Configuration.maximumSnapshotCount.")
    }
    // From here on, letting the snapshot go gives its place back.
    let snapshot = DatabaseSnapshot(lane: lane, pool: self, id: id)
    try lane.run { try $0.beginPinnedRead() }
    return snapshot
  }

  /// Gives the place of a snapshot to others.
  func take(_ id: UInt64) -> Lane? { state.withLock { $0.lanes.removeValue(forKey: id) } }

  func interrupt() { for lane in state.withLock({ Array($0.lanes.values) }) { lane.interrupt() } }

  func releaseAll(interrupting: Bool = false) {
    let lanes = state.withLock { state in
      defer { state.lanes = [:] }
      return Array(state.lanes.values)
    }
    for lane in lanes {
      if interrupting { lane.suspend() }
      lane.close()
    }
  }
}

extension Database {
  /// Pins what is committed now, own writes and other processes' alike, for reads that are to agree with one another.
  ///
  /// Waits for nobody. At most ``Configuration/maximumSnapshotCount`` at once, beside the readers of the pool. Ended by
  /// ``close()`` and ``suspend()``.
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
    return try snapshots.make(label: "dimple.\(configuration.label).snapshot")
  }
}
