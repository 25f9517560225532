import Dispatch
import Foundation
import Synchronization

/// Readers and a writer at the same time, each with a fixed share of work: how much is done, and how long each waits.
struct LoadBenchmark {
  var name: String
  var load: Load
  /// Ours first, then the peers.
  var contenders: [LoadContender]

  /// Runs all contenders in turns. A figure is the median of the rounds, each of the figures one measurement.
  func measure(suite: String, rounds: Int) async throws -> [Measurement] {
    var figures = contenders.map { _ in [[LoadOutcome.Figure]]() }
    var answers: [Int?] = contenders.map { _ in nil }
    for round in 0...rounds {
      for turn in contenders.indices {
        let index = (turn + round) % contenders.count
        let outcome = try await contenders[index].run(load)
        answers[index] = outcome.answer
        // The first round warms caches up.
        if round > 0 { figures[index].append(outcome.figures) }
      }
    }
    for (contender, answer) in zip(contenders, answers) where answer != answers[0] {
      throw Disagreement(benchmark: name, contender: contender.name)
    }
    return (figures.first?.first ?? []).enumerated().map { index, figure in
      var measurement = Measurement(
        suite: suite, name: "\(name): \(figure.name)", unit: "ns/\(figure.unit)",
        medians: zip(contenders, figures).map { contender, rounds in
          (contender.name, Measurement.median(rounds.map { $0[index].nanoseconds }))
        })
      measurement.bars = figure.bars
      measurement.isRate = figure.isRate
      return measurement
    }
  }
}

/// One way to read and write.
struct LoadContender {
  var name: String
  var run: (Load) async throws -> LoadOutcome
}

/// How many do how much.
struct Load {
  var readers: Int
  /// By each reader.
  var reads: Int
  /// By the one writer.
  var writes: Int

  /// On a thread for each: `read` gets the reader and which of its reads it is.
  func onThreads(
    read: @escaping @Sendable (Int, Int) throws -> Int, write: @escaping @Sendable (Int) throws -> Void
  ) throws -> LoadOutcome {
    let recorder = LoadRecorder(start: .now)
    let done = DispatchGroup()
    for reader in 0..<readers {
      done.enter()
      Thread.detachNewThread { [reads] in
        recorder.record(reading: Result { try LoadRecorder.time(reads) { try read(reader, $0) } })
        done.leave()
      }
    }
    if writes > 0 { try recorder.recordWriting { for number in 0..<writes { try write(number) } } }
    done.wait()
    return try recorder.outcome(self)
  }

  /// In a task for each.
  func inTasks(
    read: @escaping @Sendable (Int, Int) async throws -> Int, write: @escaping @Sendable (Int) async throws -> Void
  ) async throws -> LoadOutcome {
    let recorder = LoadRecorder(start: .now)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for reader in 0..<readers {
        group.addTask { [reads] in
          let reading = try await LoadRecorder.timeAsync(reads) { try await read(reader, $0) }
          recorder.record(reading: .success(reading))
        }
      }
      if writes > 0 { try await recorder.recordWritingAsync { for number in 0..<writes { try await write(number) } } }
      try await group.waitForAll()
    }
    return try recorder.outcome(self)
  }
}
