/// Takes the grant of one who waits; called once.
typealias Waiter = @Sendable (Grant) -> Void

/// Those who wait, in order. Taking one out of the middle costs nothing: its ticket is passed over later.
struct WaiterQueue {
  private var waiters: [UInt64: Waiter] = [:]
  private var tickets: [UInt64] = []
  private var first = 0
  private var lastTicket: UInt64 = 0

  var count: Int { waiters.count }

  /// Returns the waiter's ticket, which is never 0.
  mutating func append(_ waiter: @escaping Waiter) -> UInt64 {
    lastTicket += 1
    waiters[lastTicket] = waiter
    tickets.append(lastTicket)
    return lastTicket
  }

  mutating func remove(_ ticket: UInt64) -> Waiter? { waiters.removeValue(forKey: ticket) }

  mutating func popFirst() -> Waiter? {
    while first < tickets.count {
      let ticket = tickets[first]
      first += 1
      if first > 64, first * 2 > tickets.count {
        tickets.removeFirst(first)
        first = 0
      }
      if let waiter = waiters.removeValue(forKey: ticket) { return waiter }
    }
    tickets.removeAll(keepingCapacity: true)
    first = 0
    return nil
  }

  mutating func removeAll() -> [Waiter] {
    var all: [Waiter] = []
    while let waiter = popFirst() { all.append(waiter) }
    return all
  }
}
