/// One job, done by us and by our peers.
struct Benchmark {
  var name: String
  /// What is counted: `row`, `commit`, `MiB`.
  var unit: String
  /// How many of these one run does.
  var count: Int
  /// How our time should at most be in relation to a peer's, by the peer's name.
  var bars: [String: Double] = [:]
  /// Before the first run and after the last.
  var setUp: () async throws -> Void = {}
  var tearDown: () -> Void = {}
  /// Ours first, then the peers.
  var contenders: [Contender]
}

/// One way to do the job.
struct Contender {
  var name: String
  /// Before each run, not measured.
  var prepare: () async throws -> Void = {}
  /// Does the job, and returns what all contenders must agree on.
  var run: () async throws -> Int
  /// How long the part of the last run took that counts, where that is not all of it.
  var duration: (() -> Duration?)?

  /// The name of what this project does.
  static let ours = "DimpleDb"
}

/// The benchmarks of one module.
struct Suite {
  var name: String
  var benchmarks: (Size) throws -> [Benchmark]
  /// Measured after the benchmarks.
  var loads: (Size) throws -> [LoadBenchmark] = { _ in [] }
  /// Counted at the end.
  var figures: (Size) async throws -> [Figure] = { _ in [] }

  static var all: [Suite] { [.store, .changelog, .reactive, .remote, .s3, .crypto, .sync, .snapshot, .large] }
}

/// How much work is done.
enum Size {
  /// Enough to measure.
  case full
  /// Enough to count instructions, which hardly vary.
  case counted
  /// Enough to see that it runs.
  case smoke

  /// So many, or a few.
  func callAsFunction(_ count: Int) -> Int {
    switch self {
    case .full: count
    case .counted: min(count, 2_000)
    case .smoke: min(count, 20)
    }
  }

  var rounds: Int {
    switch self {
    case .full: 11
    case .counted: 1
    case .smoke: 2
    }
  }
}
