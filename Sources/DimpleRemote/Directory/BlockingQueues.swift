internal import DimpleMutex
internal import Dispatch

/// Threads for calls that block: a disk that is slow must not hold up the threads that all tasks share.
final class BlockingQueues: Sendable {
  private let queues: [DispatchQueue]
  private let next = Atomic<Int>(0)

  /// - Parameter count: How many calls may block at once.
  init(label: String, count: Int) {
    // Serial queues have a thread each when busy; one concurrent queue could take the whole pool's.
    queues = (0..<count).map { DispatchQueue(label: "\(label).\($0)") }
  }

  /// Runs `body` on one of the threads, unless the task is cancelled before it starts.
  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try Task.checkCancellation()
    let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
    let queue = queues[Int(UInt(bitPattern: turn) % UInt(queues.count))]
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Swift.Result { try body() }) }
    }
  }
}
