internal import DimpleMutex

/// Where a task waits for what a thread has for it: a continuation, resumed exactly once.
///
/// Compiled with `THREAD_SANITIZER` the result goes through a lock, which orders what the thread did before what the task does
/// next: on Linux the sanitizer sees no order in a continuation.
struct HandOver<Value: Sendable>: Sendable {
  #if THREAD_SANITIZER
    private final class Box: Sendable {
      let result = Mutex<Result<Value, any Error>?>(nil)
    }

    private let box: Box
    private let continuation: CheckedContinuation<Void, Never>

    func resume(with result: Result<Value, any Error>) {
      box.result.withLock { $0 = result }
      continuation.resume()
    }

    /// Suspends the task until `body`, or what it hands itself to, resumes it.
    static func wait(_ body: (HandOver) -> Void) async throws -> Value {
      let box = Box()
      await withCheckedContinuation { body(HandOver(box: box, continuation: $0)) }
      guard let result = box.result.withLock({ $0 }) else { preconditionFailure("resumed without a result") }
      return try result.get()
    }
  #else
    private let continuation: UnsafeContinuation<Value, any Error>

    func resume(with result: Result<Value, any Error>) { continuation.resume(with: result) }

    /// Suspends the task until `body`, or what it hands itself to, resumes it.
    static func wait(_ body: (HandOver) -> Void) async throws -> Value {
      // Unsafe, as a checked one costs an allocation: its users resume it on every path.
      try await withUnsafeThrowingContinuation { body(HandOver(continuation: $0)) }
    }
  #endif
}
