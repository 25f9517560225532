import Foundation
import Synchronization

/// Runs one contender once between two marks, and says what it was: a profiler counts from mark to mark.
/// See scripts/lib/instructions.py.
enum Counting {
  private static let marks = Atomic(0)

  static func run(_ benchmark: Benchmark, suite: String, side: String) async throws {
    guard let contender = benchmark.contenders.first(where: { $0.name == side }) else { return }
    try await benchmark.setUp()
    defer { benchmark.tearDown() }
    // Once for what is done only once: opening readers, compiling statements, the runtime's metadata.
    try await contender.prepare()
    _ = try await contender.run()
    try await contender.prepare()
    firstMark()
    _ = try await contender.run()
    lastMark()
    let bars = benchmark.bars.map { "\"\($0)\":\($1)" }.sorted().joined(separator: ",")
    print(
      "{\"suite\":\"\(suite)\",\"name\":\"\(benchmark.name)\",\"unit\":\"\(benchmark.unit)\","
        + "\"count\":\(benchmark.count),\"bars\":{\(bars)}}")
    fflush(nil)
  }

  // What the profiler finds by name must be a call, and must do something, or the compiler leaves it out.
  @inline(never) private static func firstMark() { marks.wrappingAdd(1, ordering: .relaxed) }
  @inline(never) private static func lastMark() { marks.wrappingSubtract(1, ordering: .relaxed) }
}
