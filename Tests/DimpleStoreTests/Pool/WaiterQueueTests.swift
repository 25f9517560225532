import Testing

@testable import DimpleStore

@Suite struct WaiterQueueTests {
  /// A waiter whose name is told by the error it is refused with.
  private struct Name: Error, Equatable { var number: Int }

  private final class Served: @unchecked Sendable {  // one thread
    var numbers: [Int] = []
  }

  @Test func waitersAreServedInOrderWhoeverLeavesInBetween() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var queue = WaiterQueue()
    let served = Served()
    var expected: [Int] = []
    var tickets: [Int: UInt64] = [:]
    var all: [Int] = []
    for number in 0..<2000 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        tickets[number] = queue.append { _ in served.numbers.append(number) }
        expected.append(number)
      case 2:
        guard let leaving = expected.randomElement(using: &random), let ticket = tickets[leaving] else { continue }
        #expect(queue.remove(ticket) != nil, "seed \(seed)")
        #expect(queue.remove(ticket) == nil, "seed \(seed)")
        expected.removeAll { $0 == leaving }
      default:
        queue.popFirst()?(.failure(Name(number: number)))
        if !expected.isEmpty { all.append(expected.removeFirst()) }
      }
      #expect(queue.count == expected.count, "seed \(seed)")
    }
    for waiter in queue.removeAll() { waiter(.failure(Name(number: -1))) }
    #expect(served.numbers == all + expected, "seed \(seed)")
    #expect(queue.popFirst() == nil)
  }
}
