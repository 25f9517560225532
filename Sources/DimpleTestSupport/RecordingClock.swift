internal import DimpleMutex

/// A clock on which a sleep takes no time, moves the clock, and is remembered: for tests of what waits.
public final class RecordingClock: Clock {
  /// A moment, as the time since the clock was made.
  public struct Instant: InstantProtocol {
    /// Since the clock was made.
    public var offset: Duration

    /// That much later.
    public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }

    /// The time from this moment to another.
    public func duration(to other: Instant) -> Duration { other.offset - offset }

    /// Whether one is earlier.
    public static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
  }

  private let state = Mutex<(now: Duration, sleeps: [Duration])>((.zero, []))

  /// Starts at zero.
  public init() {}

  /// The sum of all sleeps.
  public var now: Instant { Instant(offset: state.withLock { $0.now }) }

  /// None.
  public var minimumResolution: Duration { .zero }

  /// What was slept so far.
  public var sleeps: [Duration] { state.withLock { $0.sleeps } }

  /// Moves the clock to `deadline` and returns.
  ///
  /// - Throws: `CancellationError` in a cancelled task.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    state.withLock {
      $0.sleeps.append(deadline.offset - $0.now)
      $0.now = deadline.offset
    }
  }
}
