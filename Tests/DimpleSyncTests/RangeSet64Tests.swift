import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("A set of transaction numbers")
struct RangeSet64Tests {
  @Test func touchingRangesBecomeOne() {
    #expect(RangeSet64([1...2, 3...4]).ranges == [1...4])
    #expect(RangeSet64([3...4, 1...1]).ranges == [1...1, 3...4])
  }

  @Test func overlapAndContainmentAreJoined() {
    #expect(RangeSet64([1...5, 3...9, 20...30, 4...4]).ranges == [1...9, 20...30])
  }

  @Test func aGapIsNotContained() {
    let set = RangeSet64([1...3, 5...9])
    #expect(set.contains(5...9))
    #expect(!set.contains(3...5))
    #expect(!set.contains(4))
  }

  @Test func theLargestNumbersDoNotTrap() {
    let set = RangeSet64([.max - 1 ... .max, 1...Int64.max])
    #expect(set.ranges == [1...Int64.max])
  }

  @Test func agreesWithASetOfNumbers() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<200 {
      var ranges = RangeSet64()
      var numbers: Set<Int64> = []
      for _ in 0..<12 {
        let lower = Int64(random.below(40)) + 1
        let range = lower...(lower + Int64(random.below(5)))
        ranges.insert(range)
        numbers.formUnion(range)
      }
      for number in Int64(1)...50 { #expect(ranges.contains(number) == numbers.contains(number)) }
      for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
        #expect(left.upperBound + 1 < right.lowerBound)
      }
    }
  }
}
