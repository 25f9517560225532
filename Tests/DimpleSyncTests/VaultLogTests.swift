import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Where packs meet")
struct VaultLogTests {
  @Test func theBordersOfAPackAreThoseFromItsFirstNumberToOnePastTheLast() {
    var random = SeededRandom(seed: 17)
    for _ in 0..<200 {
      var log = VaultLog()
      let numbers = (0..<random.below(40)).map { _ in Int64(1 + random.below(60)) }
      log.setBorders(numbers)
      let first = Int64(1 + random.below(60))
      let range = first...first + Int64(random.below(20))
      let expected = Set(numbers).filter { (first...range.upperBound + 1).contains($0) }.sorted()
      #expect(Array(log.borders(of: range)) == expected, "\(numbers), \(range)")
    }
    var log = VaultLog()
    log.setBorders([5, .max, 1])
    #expect(Array(log.borders(of: 2...Int64.max)) == [5, .max])
  }
}
