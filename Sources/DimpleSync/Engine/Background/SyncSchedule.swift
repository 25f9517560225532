internal import DimpleRemote

/// When to sync next, decided by what happened and when. Knows no clock, waits for nothing: times are told to it, as
/// durations since some beginning.
struct SyncSchedule: Sendable {
  enum Event: Sendable, Hashable {
    /// Something that is not in the vault was committed here.
    case localCommit
    /// Somebody asked for a sync.
    case requested
    /// Before the sync that ``Action/syncNow`` asked for.
    case syncBegan
    case syncSucceeded
    /// - `retryAfter`: how long the far side asked to be left alone.
    case syncFailed(isRetryable: Bool, retryAfter: Duration?)
    /// It ended early because somebody wanted it to.
    case syncCancelled
    case paused
    case resumed
  }

  enum Action: Sendable, Hashable {
    case syncNow
    /// Until that time or the next event; `nil`: until the next event.
    case wait(until: Duration?)
    case stop
  }

  private let options: BackgroundSync.Options
  private let interval: Duration
  private var random: any RandomNumberGenerator & Sendable
  private var isPaused = false
  private var isSyncing = false
  private var isStopped = false
  private var isRequested = false
  /// The first and the last commit that no sync has begun after.
  private var commits: (first: Duration, last: Duration)?
  private var nextTick: Duration
  private var retry: Duration?
  private var failures = 0
  private var notBefore = Duration.zero

  /// The first sync is due at once.
  init(
    every interval: Duration, options: BackgroundSync.Options, random: any RandomNumberGenerator & Sendable,
    at now: Duration
  ) {
    self.interval = interval
    self.options = options
    self.random = random
    nextTick = now
  }

  /// What to do now.
  func action(at now: Duration) -> Action {
    if isStopped { return .stop }
    if isSyncing || isPaused { return .wait(until: nil) }
    if isRequested { return .syncNow }
    let due = max(due, notBefore)
    return due <= now ? .syncNow : .wait(until: due)
  }

  /// When a sync is due, if nothing more happens.
  private var due: Duration {
    if failures > 0 { return min(nextTick, retry ?? nextTick) }
    guard let commits else { return nextTick }
    return min(nextTick, commits.last + options.debounce, commits.first + options.maximumDebounce)
  }

  mutating func handle(_ event: Event, at now: Duration) {
    switch event {
    case .localCommit: commits = (commits?.first ?? now, now)
    case .requested: isRequested = true
    case .paused: isPaused = true
    case .resumed:
      guard isPaused else { return }
      isPaused = false
      isRequested = true
    case .syncBegan: begin(at: now)
    case .syncSucceeded:
      isSyncing = false
      failures = 0
      retry = nil
      notBefore = .zero
      nextTick = now + jittered(interval)
    case .syncFailed(let isRetryable, let retryAfter):
      isSyncing = false
      fail(isRetryable, retryAfter, at: now)
    case .syncCancelled: isSyncing = false
    }
  }

  private mutating func begin(at now: Duration) {
    // A retry goes on with the budget; a tick or somebody's wish begins a new one.
    if isRequested || nextTick <= now {
      failures = 0
      nextTick = now + jittered(interval)
    }
    retry = nil
    isSyncing = true
    isRequested = false
    commits = nil
  }

  private mutating func fail(_ isRetryable: Bool, _ retryAfter: Duration?, at now: Duration) {
    guard isRetryable else {
      isStopped = true
      return
    }
    failures += 1
    if let retryAfter { notBefore = now + min(retryAfter, RemoteError.maximumRetryAfter) }
    // Beyond the budget, the next tick will try.
    guard failures <= options.fastRetries else { return }
    let ceiling = min(options.maximumRetryDelay, options.retryDelay * (1 << min(failures - 1, 30)))
    retry = now + ceiling * Double.random(in: 0.5...1, using: &random)
  }

  private mutating func jittered(_ interval: Duration) -> Duration {
    interval * (1 + Double.random(in: -1...1, using: &random) * min(max(options.jitter, 0), 1))
  }
}
