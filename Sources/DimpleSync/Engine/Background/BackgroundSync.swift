internal import DimpleStore

/// Syncs a database by itself until it is stopped or let go; made by ``SyncEngine/start(every:options:)``.
///
/// It syncs at once, then soon after each local commit, and at intervals for what others wrote. Failures that may pass are
/// tried again, further and further apart; one that will not pass (a wrong passphrase, no permission) ends it, with that
/// error as the last event. Safe to use from any task.
public final class BackgroundSync: Sendable {
  /// When a background sync syncs, and when it tries again.
  public struct Options: Sendable {
    /// A sync begins this long after the last of a burst of local commits: 2 s by default.
    public var debounce: Duration = .seconds(2)
    /// And at most this long after the first: 10 s by default.
    public var maximumDebounce: Duration = .seconds(10)
    /// By which share of it an interval is made longer or shorter at random, so that devices spread out: 0.1 by default.
    public var jitter = 0.1
    /// The upper bound of the wait before the first retry: 1 s by default. It doubles with each.
    public var retryDelay: Duration = .seconds(1)
    /// No wait before a retry is longer, unless the far side asks for it, an hour at most: 5 min by default.
    public var maximumRetryDelay: Duration = .seconds(300)
    /// So many retries in a row; then the next interval is waited for: 6 by default.
    public var fastRetries = 6
    /// Waits by it; tests give one they move themselves.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Spreads the waits.
    public var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

    /// The defaults.
    public init() {}
  }

  /// What happens in the background.
  public enum Event: Sendable {
    /// A sync began.
    case started
    /// It got further.
    case progress(SyncProgress)
    /// It is done.
    case finished(SyncReport)
    /// It failed; unless this is the last event, it will be tried again.
    case failed(any Error)
    /// It was broken off by ``BackgroundSync/pause()`` or ``BackgroundSync/stop()``. Nothing is lost.
    case cancelled
  }

  private let runner: BackgroundRunner
  private let task: Task<Void, Never>
  private let commits: CommitObservation

  init(_ engine: SyncEngine, every interval: Duration, options: Options) {
    let runner = BackgroundRunner(engine, every: interval, options: options)
    self.runner = runner
    commits = engine.database.observeCommits { [weak runner] _ in runner?.noticeCommit() }
    task = Task { await runner.run() }
  }

  deinit { task.cancel() }

  /// What happens from now on; a new sequence for each listener, which begins with the latest event, if there was one, and
  /// ends when the background sync does. A listener that falls far behind loses the oldest.
  public var events: AsyncStream<Event> { runner.events.stream(buffered: 256) }

  /// No sync begins until ``resume()``; one that runs is broken off, and has ended when this returns.
  public func pause() async { await runner.pause() }

  /// Goes on after ``pause()``, with a sync at once; otherwise does nothing.
  public func resume() { runner.resume() }

  /// Asks for a sync at once, also while waiting to try again; does not wait for it. When paused, ``resume()`` must come first.
  public func syncNow() { runner.syncNow() }

  /// Ends it for good; a sync that runs is broken off, and has ended when this returns.
  public func stop() async {
    task.cancel()
    await task.value
  }
}

extension SyncEngine {
  /// Syncs from now on in the background: at once, soon after local commits, and at intervals.
  ///
  /// - Parameters:
  ///   - interval: Between the end of a sync and the next, if nothing is written here: how late others' changes may come.
  ///   - options: The finer points.
  /// - Returns: What holds it: let go, it stops. Several at once do no harm and no good.
  public nonisolated func start(
    every interval: Duration, options: BackgroundSync.Options = .init()
  ) -> BackgroundSync {
    BackgroundSync(self, every: interval, options: options)
  }
}
