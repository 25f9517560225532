/// When to try again, and after how long: exponential backoff with full jitter.
///
/// Before retry n (1, 2, …) it waits a random time between zero and `baseDelay` · 2ⁿ⁻¹, at most `maximumDelay`, and never less
/// than what the far side asked for. All waits of one call together stay within `budget`.
public struct RetryPolicy: Sendable, Hashable {
  /// How often an operation is carried out in all, the first time included; 1 never retries.
  public var maximumAttempts: Int
  /// The upper bound of the first wait.
  public var baseDelay: Duration
  /// No wait is longer, unless the far side asks for it.
  public var maximumDelay: Duration
  /// What one call may wait in all.
  public var budget: Duration

  /// 5 attempts, 200 ms doubling up to 10 s, one minute in all, unless told otherwise.
  public init(
    maximumAttempts: Int = 5, baseDelay: Duration = .milliseconds(200), maximumDelay: Duration = .seconds(10),
    budget: Duration = .seconds(60)
  ) {
    self.maximumAttempts = maximumAttempts
    self.baseDelay = baseDelay
    self.maximumDelay = maximumDelay
    self.budget = budget
  }

  /// How long to wait before the next attempt, or `nil` to give up.
  ///
  /// - Parameters:
  ///   - attempts: How many were made; at least 1.
  ///   - error: What the last one threw. Only a ``RemoteError`` with `isRetryable` is worth another.
  ///   - waited: The waits so far.
  public func delay(
    after attempts: Int, error: any Error, waited: Duration, random: inout some RandomNumberGenerator
  ) -> Duration? {
    guard attempts < maximumAttempts, let error = error as? RemoteError, error.isRetryable else { return nil }
    // 2^30 of any delay is beyond every sensible maximum; more would overflow.
    let ceiling = min(maximumDelay, baseDelay * (1 << min(max(attempts - 1, 0), 30)))
    let jittered = ceiling * Double.random(in: 0...1, using: &random)
    let delay = max(jittered, error.retryAfter ?? .zero)
    return waited + delay <= budget ? delay : nil
  }
}
