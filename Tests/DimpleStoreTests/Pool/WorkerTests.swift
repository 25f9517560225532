import DimpleMutex
import Foundation
import Testing

@testable import DimpleStore

@Suite(.timeLimit(.minutes(10))) struct WorkerTests {
  /// Runs a job, and waits until the next one may be submitted, as whoever holds a slot does.
  private func run(on worker: Worker, _ body: @escaping @Sendable () -> Void = {}) async throws {
    try await HandOver<Void>.wait { handOver in
      worker.submit {
        body()
        worker.expectNext()
        handOver.resume(with: .success(()))
      }
    }
  }

  /// The thread that runs the next job.
  private func thread(of worker: Worker) async throws -> ObjectIdentifier? {
    let found = Mutex<ObjectIdentifier?>(nil)
    try await run(on: worker) { found.withLock { $0 = ObjectIdentifier(Thread.current) } }
    return found.withLock { $0 }
  }

  @Test func whatFollowsCloselyIsRunByTheThreadThatIsStillAwake() async throws {
    // Patient for good: whatever comes is close. The first job wakes the thread and makes it wait for no other.
    let worker = Worker(label: "patient", patienceNanoseconds: .max)
    try await run(on: worker)
    let first = try await thread(of: worker)
    #expect(first != nil)
    for _ in 0..<20 { #expect(try await thread(of: worker) == first) }
    // A job that expects no other lets the thread go.
    try await HandOver<Void>.wait { handOver in worker.submit { handOver.resume(with: .success(())) } }
    try await HandOver<Void>.wait { handOver in worker.queue.async { handOver.resume(with: .success(())) } }
  }

  /// No patience at all, and patience that ends about when the next job comes: whoever is faster, the job is run once.
  @Test(arguments: [0, 1_000, 5_000, 20_000, 100_000] as [UInt64])
  func eachJobIsRunOnceAndInOrderHoweverPatienceEnds(nanoseconds: UInt64) async throws {
    let worker = Worker(label: "hesitant", patienceNanoseconds: nanoseconds)
    let ran = Mutex<[Int]>([])
    for number in 0..<3_000 {
      try await run(on: worker) { ran.withLock { $0.append(number) } }
    }
    #expect(ran.withLock { $0 } == Array(0..<3_000))
    // In the end, nobody stays in the queue.
    try await HandOver<Void>.wait { handOver in worker.queue.async { handOver.resume(with: .success(())) } }
  }
}
