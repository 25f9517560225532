internal import DimpleMutex
internal import DimpleRemote
internal import DimpleStore

/// The loop behind a ``BackgroundSync``: asks the schedule what to do, does it, and tells the schedule what came of it.
final class BackgroundRunner: Sendable {
  private struct State {
    var schedule: SyncSchedule
    var current: Task<SyncReport, any Error>?
    /// Somebody committed since the last look. The engine's own merges do, too.
    var hasHint = false
  }

  let events = Broadcast<BackgroundSync.Event>()
  private let engine: SyncEngine
  private let stopwatch: Stopwatch
  private let signal = Signal()
  private let state: Mutex<State>

  init(_ engine: SyncEngine, every interval: Duration, options: BackgroundSync.Options) {
    self.engine = engine
    let stopwatch = Stopwatch(options.clock)
    self.stopwatch = stopwatch
    state = Mutex(
      State(
        schedule: SyncSchedule(every: interval, options: options, random: options.random, at: stopwatch.elapsed)))
  }

  // MARK: - From outside

  func noticeCommit() {
    state.withLock { $0.hasHint = true }
    signal.set()
  }

  func pause() async {
    let current = state.withLock { state in
      state.schedule.handle(.paused, at: stopwatch.elapsed)
      return state.current
    }
    current?.cancel()
    _ = await current?.result
  }

  func resume() { tell(.resumed) }

  func syncNow() { tell(.requested) }

  private func tell(_ event: SyncSchedule.Event) {
    state.withLock { $0.schedule.handle(event, at: stopwatch.elapsed) }
    signal.set()
  }

  // MARK: - The loop

  private enum Step: Sendable {
    case sync(Task<SyncReport, any Error>)
    case look
    case wait(until: Duration?)
    case stop
  }

  func run() async {
    defer { events.finish() }
    while !Task.isCancelled {
      switch nextStep() {
      case .sync(let task): await finish(task)
      case .look: await look()
      case .wait(let deadline): await wait(until: deadline)
      case .stop: return
      }
    }
  }

  private func nextStep() -> Step {
    state.withLock { state in
      let now = stopwatch.elapsed
      switch state.schedule.action(at: now) {
      case .stop: return .stop
      case .syncNow:
        state.schedule.handle(.syncBegan, at: now)
        // What was committed before is part of this sync; later commits give another hint.
        state.hasHint = false
        events.send(.started)
        let engine = engine
        // Made under the lock: a pause finds either this task, or a schedule that begins none.
        let task = Task { try await engine.sync() }
        state.current = task
        return .sync(task)
      case .wait(let deadline):
        defer { state.hasHint = false }
        return state.hasHint ? .look : .wait(until: deadline)
      }
    }
  }

  private func finish(_ sync: Task<SyncReport, any Error>) async {
    let progress = Task { [events, stream = engine.progress] in
      for await progress in stream { events.send(.progress(progress)) }
    }
    let result = await withTaskCancellationHandler {
      await sync.result
    } onCancel: {
      sync.cancel()
    }
    progress.cancel()
    await progress.value
    let (event, outcome) = sync.isCancelled ? Self.judgeCancelled(result) : Self.judge(result)
    state.withLock { state in
      state.current = nil
      state.schedule.handle(outcome, at: stopwatch.elapsed)
    }
    events.send(event)
  }

  /// Whatever it threw, it was told to end, by a pause, after which comes another, or for good.
  private static func judgeCancelled(
    _ result: Result<SyncReport, any Error>
  ) -> (BackgroundSync.Event, SyncSchedule.Event) {
    switch result {
    case .success: judge(result)
    case .failure: (.cancelled, .syncCancelled)
    }
  }

  private static func judge(
    _ result: Result<SyncReport, any Error>
  ) -> (BackgroundSync.Event, SyncSchedule.Event) {
    switch result {
    case .success(let report): (.finished(report), .syncSucceeded)
    case .failure(let error as RemoteError):
      (.failed(error), .syncFailed(isRetryable: error.isRetryable, retryAfter: error.retryAfter))
    case .failure(let error as SyncError):
      (.failed(error), .syncFailed(isRetryable: error.isRetryable, retryAfter: nil))
    case .failure(let error as StoreError):
      (.failed(error), .syncFailed(isRetryable: error.isRetryable, retryAfter: nil))
    // Another storage's own errors, a `CancellationError` that nobody asked for included: nothing says that they will stay.
    case .failure(let error): (.failed(error), .syncFailed(isRetryable: true, retryAfter: nil))
    }
  }

  /// A commit is a local one if it left something to send.
  private func look() async {
    guard (try? await engine.hasUnsent()) ?? true else { return }
    state.withLock { $0.schedule.handle(.localCommit, at: stopwatch.elapsed) }
  }

  private func wait(until deadline: Duration?) async {
    let (signal, stopwatch) = (signal, stopwatch)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { _ = await signal.wait() }
      if let deadline { group.addTask { try? await stopwatch.sleep(until: deadline) } }
      await group.next()
      group.cancelAll()
    }
  }
}
