import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("What to fetch")
struct PullPlanTests {
  private func candidate(
    _ key: String, _ range: ClosedRange<Int64>, of replica: UInt64 = 1, size: Int64 = 1
  ) -> PullPlan.Candidate {
    let name = PackName(
      replica: ReplicaID(rawValue: replica), range: range, contentHash: [UInt8](repeating: 0, count: 32))
    return PullPlan.Candidate(key: key, name: name, size: size)
  }

  @Test func onlyPacksWithSomethingNewAreFetched() {
    let plan = PullPlan(
      listed: [candidate("a", 1...3), candidate("b", 4...6), candidate("c", 7...9)],
      seen: [ReplicaID(rawValue: 1): RangeSet64([1...3, 7...9])])
    #expect(plan.fetch.map(\.key) == ["b"])
  }

  @Test func aUnionMakesItsPartsSuperfluous() {
    let parts = (1...8).map { candidate("part\($0)", Int64($0)...Int64($0)) }
    let plan = PullPlan(listed: parts + [candidate("union", 1...8)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["union"])
  }

  @Test func theOrderOfTheListingDoesNotMatter() {
    var random = SeededRandom(seed: 1)
    let packs = (1...20).map { (number: Int64) -> PullPlan.Candidate in
      candidate("p\(number)", number...(number + number % 4), of: UInt64(number % 3))
    }
    let expected = PullPlan(listed: packs, seen: [:]).fetch
    for _ in 0..<50 { #expect(PullPlan(listed: packs.shuffled(using: &random), seen: [:]).fetch == expected) }
  }

  @Test func absurdNumbersDoNotTrap() {
    let plan = PullPlan(listed: [candidate("x", 1 ... .max), candidate("y", .max ... .max)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["x"])
  }

  @Test func packsShareWhatMayBeKeptUnfolded() {
    func shares(of size: Int, _ sizes: [Int64]) -> [Int] {
      PackFetch.shares(of: size, sizes.map { candidate("x", 1...1, size: $0) })
    }
    #expect(shares(of: 1000, [10, 20, 30, 40]) == [160, 320, 480, 40])
    #expect(shares(of: 1000, [.max, 10]) == [1000, 0])
    #expect(shares(of: 1000, [0, 10]) == [0, 160])
    #expect(shares(of: 0, [10]) == [0])
  }
}
