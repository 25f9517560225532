import DimpleTestSupport
import Foundation
import Testing

/// `DIMPLE_SIMULATION_RUNS` says how many runs (1,000 by default), `DIMPLE_SIMULATION_SEED` where the seeds begin (1).
@Suite("Simulated fleets over a storage that fails")
struct SimulationTests {
  private static func setting(_ name: String, default value: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? value
  }

  @Test func aSeedMakesTheSameRunAgain() async throws {
    for seed in UInt64(1)...3 {
      let (first, second) = (try await Simulation(seed: seed).run(), try await Simulation(seed: seed).run())
      #expect(first == second)
    }
  }

  @Test func replicasEndTheSameWhateverHappens() async throws {
    let first = Self.setting("DIMPLE_SIMULATION_SEED", default: 1)
    let count = Self.setting("DIMPLE_SIMULATION_RUNS", default: 1000)
    var total = Simulation.Outcome()
    for seed in first..<first + count {
      do {
        let outcome = try await Simulation(seed: seed).run()
        total.operations += outcome.operations
        total.syncs += outcome.syncs
        total.failedSyncs += outcome.failedSyncs
        total.held += outcome.held
        total.faults.merge(outcome.faults, uniquingKeysWith: +)
      } catch {
        Issue.record("seed \(seed): \(error)")
        return
      }
    }
    print(
      """
      \(count) runs from seed \(first): \(total.operations) statements, \(total.syncs) syncs of which \
      \(total.failedSyncs) failed, \(total.held) rows held at the end; faults: \
      \(total.faults.map { "\($0.value)x \($0.key)" }.sorted().joined(separator: ", "))
      """)
    // A simulation in which nothing goes wrong proves nothing.
    #expect(total.failedSyncs > 0 && total.held > 0 && Set(total.faults.keys) == Set(StorageFault.allCases))
  }
}
