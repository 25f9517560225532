import Foundation
import Synchronization

/// What one reader saw.
struct Reading {
  var answer = 0
  var nanoseconds: [Double] = []
}

/// Collects what readers and the writer saw.
final class LoadRecorder: Sendable {
  private struct State {
    var answer = 0
    var reads: [Double] = []
    var readingTime = 0.0
    var writingTime = 0.0
    var failure: (any Error)?
  }

  private let start: ContinuousClock.Instant
  private let state = Mutex(State())

  init(start: ContinuousClock.Instant) { self.start = start }

  /// So many reads, and how long each took.
  static func time(_ count: Int, _ read: (Int) throws -> Int) throws -> Reading {
    var reading = Reading()
    reading.nanoseconds.reserveCapacity(count)
    for number in 0..<count {
      let start = ContinuousClock.now
      reading.answer &+= try read(number)
      reading.nanoseconds.append((ContinuousClock.now - start) / .nanoseconds(1))
      // As one that does something else in between: threads that never wait would measure the system's time slices.
      sched_yield()
    }
    return reading
  }

  /// So many reads, and how long each took.
  static func timeAsync(_ count: Int, _ read: (Int) async throws -> Int) async throws -> Reading {
    var reading = Reading()
    reading.nanoseconds.reserveCapacity(count)
    for number in 0..<count {
      let start = ContinuousClock.now
      reading.answer &+= try await read(number)
      reading.nanoseconds.append((ContinuousClock.now - start) / .nanoseconds(1))
    }
    return reading
  }

  func record(reading: Result<Reading, any Error>) {
    let time = (ContinuousClock.now - start) / .nanoseconds(1)
    state.withLock { state in
      // The last reader to come is the end of all reading.
      state.readingTime = max(state.readingTime, time)
      switch reading {
      case .success(let reading):
        state.answer &+= reading.answer
        state.reads += reading.nanoseconds
      case .failure(let error): state.failure = error
      }
    }
  }

  func recordWriting(_ write: () throws -> Void) throws {
    try write()
    recordWritingEnd()
  }

  func recordWritingAsync(_ write: () async throws -> Void) async throws {
    try await write()
    recordWritingEnd()
  }

  private func recordWritingEnd() {
    let time = (ContinuousClock.now - start) / .nanoseconds(1)
    state.withLock { $0.writingTime = time }
  }

  func outcome(_ load: Load) throws -> LoadOutcome {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      let reads = state.reads.sorted()
      var figures = [
        LoadOutcome.Figure(
          name: "all reads", unit: "read", nanoseconds: state.readingTime / Double(reads.count), isRate: true),
        LoadOutcome.Figure(name: "p50", unit: "read", nanoseconds: reads[reads.count / 2]),
        LoadOutcome.Figure(name: "p99", unit: "read", nanoseconds: reads[reads.count * 99 / 100], bars: ["GRDB": 1.1]),
        LoadOutcome.Figure(name: "longest", unit: "read", nanoseconds: reads[reads.count - 1]),
      ]
      if load.writes > 0 {
        let time = state.writingTime / Double(load.writes)
        figures.append(LoadOutcome.Figure(name: "all writes", unit: "write", nanoseconds: time, isRate: true))
      }
      return LoadOutcome(answer: state.answer, figures: figures)
    }
  }
}

/// One run of a load.
struct LoadOutcome {
  struct Figure {
    var name: String
    var unit: String
    var nanoseconds: Double
    /// Of all together: how many are done in a second is what one wants to know.
    var isRate = false
    var bars: [String: Double] = [:]
  }

  /// What all contenders must agree on.
  var answer: Int
  var figures: [Figure]
}
