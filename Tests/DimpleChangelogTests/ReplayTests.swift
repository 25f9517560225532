import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// `DIMPLE_REPLAY_RUNS` says how many sequences (40 by default), `DIMPLE_REPLAY_SEED` where the seeds begin (anywhere).
@Suite("Replaying the log into an empty copy gives the database")
struct ReplayTests {
  @Test("For random operations on every kind of table")
  func randomOperations() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["DIMPLE_REPLAY_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    for number in 0..<(environment["DIMPLE_REPLAY_RUNS"].flatMap { Int($0) } ?? 40) {
      try run(seed: first &+ UInt64(number))
    }
  }

  private func run(seed: UInt64) throws {
    var operations = RandomOperations(seed: seed)
    let t = try TrackedDatabase(RandomOperations.schema)
    try t.database.write { connection in
      try connection.script(SQL(raw: RandomOperations.triggers))
      if seed % 2 == 0 { try connection.script(SQL(raw: RandomOperations.failingTriggers)) }
    }
    for _ in 0..<40 {
      t.clock.advance(milliseconds: Int64(operations.random.below(3)) - 1)
      try operations.transaction(t.database)
    }
    try LogReplay(t, schema: RandomOperations.schema).run("seed \(seed)")
  }
}
