import DimpleTestSupport
import Foundation
import Simulator
import Testing

/// `DIMPLE_SIMULATION_RUNS` says how many runs (100), `DIMPLE_SIMULATION_SEED` where the seeds begin (1).
@Suite("Simulated fleets over a storage that fails")
struct SimulationTests {
  private static func setting(_ name: String, default value: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? value
  }

  @Test func aSeedMakesTheSameRunAgain() async throws {
    for seed in UInt64(1)...10 {
      let (first, second) = (try await Runner().run(seed: seed), try await Runner().run(seed: seed))
      #expect(first == second, "seed \(seed)")
    }
  }

  @Test func replicasEndTheSameWhateverHappens() async throws {
    let first = Self.setting("DIMPLE_SIMULATION_SEED", default: 1)
    let count = Self.setting("DIMPLE_SIMULATION_RUNS", default: 100)
    var total = Tally()
    for seed in first..<first + count {
      do { total.add(try await Runner().run(seed: seed)) } catch {
        Issue.record("\(error)")
        return
      }
    }
    print(total)
    // A simulation in which nothing goes wrong proves nothing.
    for fault in StorageFault.allCases {
      #expect(total.troubles["storage: \(fault.rawValue)", default: 0] > 0, "\(fault)")
    }
    #expect(total.failedSyncs > 0 && total.held > 0 && total.misfits == 0)
  }
}
