/// The outcome of one benchmark: the median of each contender.
struct Measurement {
  var suite: String
  var name: String
  /// Nanoseconds per this.
  var unit: String
  /// In the order of the contenders.
  var medians: [(name: String, nanoseconds: Double)]
  /// People are told how many in a second; a ratio is one of times all the same.
  var isRate = false
  /// How our time should at most be in relation to a peer's, by the peer's name.
  var bars: [String: Double] = [:]

  /// Runs all contenders in turns, so that a slow moment of the machine hits all alike, each time beginning with another.
  init(_ benchmark: Benchmark, suite: String, rounds: Int) async throws {
    try await benchmark.setUp()
    defer { benchmark.tearDown() }
    let contenders = benchmark.contenders
    var times = contenders.map { _ in [Double]() }
    var answers: [Int?] = contenders.map { _ in nil }
    for round in 0...rounds {
      for turn in contenders.indices {
        let index = (turn + round) % contenders.count
        try await contenders[index].prepare()
        let start = ContinuousClock.now
        let answer = try await contenders[index].run()
        let elapsed = contenders[index].duration?() ?? (ContinuousClock.now - start)
        answers[index] = answer
        // The first round warms caches up.
        if round > 0 { times[index].append(elapsed / .nanoseconds(1) / Double(benchmark.count)) }
      }
    }
    for (contender, answer) in zip(contenders, answers) where answer != answers[0] {
      throw Disagreement(benchmark: benchmark.name, contender: contender.name)
    }
    self.suite = suite
    name = benchmark.name
    unit = "ns/\(benchmark.unit)"
    bars = benchmark.bars
    medians = zip(contenders, times).map { ($0.name, Self.median($1)) }
  }

  /// Ours in relation to each peer: 2 takes twice as long.
  var ratios: [(peer: String, ratio: Double)] {
    medians.dropFirst().map { ($0.name, medians[0].nanoseconds / $0.nanoseconds) }
  }

  init(suite: String, name: String, unit: String, medians: [(name: String, nanoseconds: Double)]) {
    self.suite = suite
    self.name = name
    self.unit = unit
    self.medians = medians
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

/// Two contenders did the job with different results, so that their times cannot be compared.
struct Disagreement: Error, CustomStringConvertible {
  var benchmark: String
  var contender: String

  var description: String { "\(benchmark): \(contender) came to another result than \(Contender.ours)" }
}
