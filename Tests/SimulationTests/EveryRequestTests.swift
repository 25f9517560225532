import DimpleTestSupport
import Foundation
import Simulator
import Testing

/// Request by request and commit by commit, in every way, until the sync comes through untouched: what chance may miss.
@Suite("A sync that is disturbed at each of its requests and commits in turn")
struct EveryRequestTests {
  /// Runs with 1, 2, 3 … until nothing is disturbed any more.
  ///
  /// - Returns: How many times something was.
  private func disturb(_ trouble: String, _ plan: (Int) -> Script.SyncPlan) async throws -> Int {
    for number in 1... {
      let tally: Tally
      do { tally = try await Simulation(HandmadeScript.everything(plan(number))).run() } catch {
        Issue.record("\(trouble), \(number): \(error)")
        return 0
      }
      if tally.troubles[trouble] == nil { return number - 1 }
    }
    return 0
  }

  @Test func itsProcessDiesBeforeARequest() async throws {
    #expect(try await disturb("death") { .init(interruption: .dieBefore(request: $0)) } > 10)
  }

  @Test func itsProcessDiesAfterARequest() async throws {
    #expect(try await disturb("death") { .init(interruption: .dieAfter(request: $0)) } > 10)
  }

  @Test func itsProcessDiesAfterACommit() async throws {
    #expect(try await disturb("death") { .init(interruption: .dieAfterCommit($0)) } > 1)
  }

  @Test func itIsCancelledAtARequest() async throws {
    #expect(try await disturb("cancelled sync") { .init(interruption: .cancel(request: $0)) } > 10)
  }

  @Test(arguments: StorageFault.allCases) func aRequestGoesWrong(_ fault: StorageFault) async throws {
    // Every request that can go wrong so does where that is asked for; else every listing, and of the many others a third.
    let isThorough = ProcessInfo.processInfo.environment["DIMPLE_EVERY_REQUEST"] == "1"
    let step = isThorough || [.stale, .omit, .duplicate, .reorder].contains(fault) ? 1 : 3
    var struck = 0
    var number = 1
    var candidates = 1
    while number <= candidates {
      do {
        let plan = Script.SyncPlan(seed: UInt64(number), kinds: [fault], onlyRequest: number)
        let tally = try await Simulation(HandmadeScript.everything(plan)).run()
        struck += tally.troubles["storage: \(fault.rawValue)", default: 0]
        candidates = tally.candidates
      } catch { Issue.record("\(fault), request \(number): \(error)") }
      number += step
    }
    #expect(struck > 0)
  }

  @Test func theDiskIsFullAfterSoManyPages() async throws {
    #expect(try await disturb("disk full in a sync") { .init(sparePages: $0 - 1) } > 1)
  }
}
