internal import DimpleMutex

/// A storage that repeats what failed in passing: an unreachable, overloaded or slow far side.
///
/// Every operation of ``ObjectStorage`` is idempotent, so all are repeated; only errors whose `isRetryable` is true are. The last
/// error is thrown as it came. Cancelling ends a wait at once.
public final class RetryingStorage: ObjectStorage {
  private let base: any ObjectStorage
  private let policy: RetryPolicy
  private let clock: any Clock<Duration>
  private let random: Mutex<any RandomNumberGenerator & Sendable>

  /// - Parameters:
  ///   - clock: Waits by it; tests give one they move themselves.
  ///   - random: Spreads the waits, so that devices that failed together do not return together.
  public init(
    _ base: any ObjectStorage, policy: RetryPolicy = RetryPolicy(), clock: any Clock<Duration> = ContinuousClock(),
    random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
  ) {
    self.base = base
    self.policy = policy
    self.clock = clock
    self.random = Mutex(random)
  }

  /// The base's.
  public var description: String { base.description }

  /// See ``ObjectStorage/list(prefix:after:)``.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await repeating { _ in try await base.list(prefix: prefix, after: cursor) }
  }

  /// See ``ObjectStorage/get(_:maximumSize:)``.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await repeating { _ in try await base.get(key, maximumSize: maximumSize) }
  }

  /// See ``ObjectStorage/put(_:_:condition:)``.
  ///
  /// A conditional put whose first attempt landed without our knowing meets its own object on the second: an existing
  /// object with these very bytes counts as success then.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await repeating { attempt in
      do {
        try await base.put(key, bytes, condition: condition)
      } catch let error as RemoteError where error.code == .preconditionFailed && attempt > 1 {
        guard try await holds(bytes, under: key) else { throw error }
      }
    }
  }

  /// See ``ObjectStorage/delete(_:)``.
  public func delete(_ key: String) async throws {
    try await repeating { _ in try await base.delete(key) }
  }

  private func holds(_ bytes: [UInt8], under key: String) async throws -> Bool {
    do {
      return try await base.get(key, maximumSize: bytes.count) == bytes
    } catch let error as RemoteError where [.tooLarge, .notFound].contains(error.code) {
      return false
    }
  }

  private func repeating<Result>(_ operation: (_ attempt: Int) async throws -> Result) async throws -> Result {
    var attempts = 0
    var waited = Duration.zero
    while true {
      do {
        attempts += 1
        return try await operation(attempts)
      } catch {
        guard let delay = nextDelay(after: attempts, error: error, waited: waited) else { throw error }
        try await clock.sleep(for: delay)
        waited += delay
      }
    }
  }

  private func nextDelay(after attempts: Int, error: any Error, waited: Duration) -> Duration? {
    random.withLock { random in
      var source = random
      defer { random = source }
      return policy.delay(after: attempts, error: error, waited: waited, random: &source)
    }
  }
}
