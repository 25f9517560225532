/// Any clock, as the time since the stopwatch was made.
struct Stopwatch: Sendable {
  private let read: @Sendable () -> Duration
  private let wait: @Sendable (Duration) async throws -> Void

  init<C: Clock<Duration>>(_ clock: C) {
    let origin = clock.now
    read = { origin.duration(to: clock.now) }
    wait = { try await clock.sleep(until: origin.advanced(by: $0), tolerance: nil) }
  }

  var elapsed: Duration { read() }

  /// - Throws: `CancellationError`.
  func sleep(until deadline: Duration) async throws { try await wait(deadline) }
}
