internal import DimpleMutex
internal import Dispatch

/// The connections that a database has lent out beside its readers, each for one moment: to snapshots and to cursors.
final class SnapshotPool: Sendable {
  private struct State {
    var lanes: [UInt64: Lane] = [:]
    var lastID: UInt64 = 0
    /// Why none is lent out; `nil` while the database serves.
    var refusal: StoreError?
  }

  private let limit: Int
  private let open: @Sendable () throws -> Connection
  private let state = Mutex(State())
  /// Those given back whose files are being closed.
  private let closing = DispatchGroup()

  init(limit: Int, open: @escaping @Sendable () throws -> Connection) {
    self.limit = max(0, limit)
    self.open = open
  }

  /// How many there are.
  var count: Int { state.withLock { $0.lanes.count } }

  /// Whether this thread is inside a closure of one of them.
  var isHeldByCurrentThread: Bool {
    state.withLock { $0.lanes.values.contains(where: \.isHeldByCurrentThread) }
  }

  /// A place of its own, if there is one left. The connection is opened when it is first used.
  func reserve(label: String) throws -> PinnedPlace {
    let open = open
    let lane = Lane(count: 1, label: label, canReopen: false) { try open() }
    let place: PinnedPlace? = try state.withLock { state in
      if let refusal = state.refusal { throw refusal }
      guard state.lanes.count < limit else { return nil }
      state.lastID += 1
      state.lanes[state.lastID] = lane
      return PinnedPlace(lane: lane, id: state.lastID)
    }
    guard let place else {
      throw StoreError(
        .tooManySnapshots, operation: "snapshot", message: "\(limit) snapshots and cursors are open already.",
        hint: "Release those that are not needed any more, or raise Configuration.maximumSnapshotCount.")
    }
    return place
  }

  /// Gives the place to others; the lane is the caller's to close. `nil` if that was done.
  func take(_ id: UInt64) -> Lane? { state.withLock { $0.lanes.removeValue(forKey: id) } }

  /// Gives the place to others at once, and closes the connection on a thread of its own.
  func release(_ id: UInt64) {
    let lane = state.withLock { state in
      // With the lock held: who closes the database either closes this lane, or waits for it.
      let lane = state.lanes.removeValue(forKey: id)
      if lane != nil { closing.enter() }
      return lane
    }
    lane?.closeInBackground { [closing] in closing.leave() }
  }

  func interrupt() { for lane in state.withLock({ Array($0.lanes.values) }) { lane.interrupt() } }

  /// Lends nothing out any more, and ends what was lent out: when the database is closed.
  func close() { end(because: Lane.closedError, interrupting: false) }

  /// As ``close()``, until ``resume()``, and what runs is stopped.
  func suspend() {
    let error = StoreError(
      .suspended, operation: "read", message: "The database was suspended, which ended its snapshots and cursors.",
      hint: "After resume(), take a new snapshot, or iterate the cursor again.")
    end(because: error, interrupting: true)
  }

  /// Lends out places again.
  func resume() { state.withLock { if $0.refusal?.code == .suspended { $0.refusal = nil } } }

  private func end(because reason: StoreError, interrupting: Bool) {
    let lanes = state.withLock { state in
      if state.refusal?.code != .closed { state.refusal = reason }
      defer { state.lanes = [:] }
      return Array(state.lanes.values)
    }
    for lane in lanes {
      if interrupting { lane.suspend() }
      lane.close(because: reason)
    }
    closing.wait()
  }
}

/// A place in a ``SnapshotPool``.
struct PinnedPlace: Sendable {
  let lane: Lane
  let id: UInt64
}
