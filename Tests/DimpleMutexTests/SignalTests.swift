import DimpleMutex
import Testing

@Suite("A signal", .timeLimit(.minutes(10)))
struct SignalTests {
  @Test func whatWasSetBeforeIsNotWaitedFor() async {
    let signal = Signal()
    signal.set()
    signal.set()
    #expect(await signal.wait())
    #expect(await Signal(isSet: true).wait())
  }

  @Test func waitingClearsIt() async {
    let signal = Signal(isSet: true)
    for _ in 0..<100 {
      #expect(await signal.wait())
      let isSetAgain = Atomic(false)
      let waiting = Task.detached {
        #expect(await signal.wait())
        let isSet = isSetAgain.load(ordering: .acquiring)
        #expect(isSet)
      }
      for _ in 0..<10 { await Task.yield() }
      isSetAgain.store(true, ordering: .releasing)
      signal.set()
      await waiting.value
      signal.set()
    }
  }

  @Test func aCancelledWaitLeavesItSet() async {
    let signal = Signal()
    let waiting = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      signal.set()
      return await signal.wait()
    }
    #expect(await waiting.value == false)
    #expect(await signal.wait())
  }

  /// Whoever waits sees the last of what was written before a set, however the two meet.
  @Test func noWakeUpIsLost() async {
    for _ in 0..<200 {
      let signal = Signal()
      let written = Atomic(0)
      let writer = Task.detached {
        for number in 1...100 {
          written.store(number, ordering: .releasing)
          signal.set()
        }
      }
      while written.load(ordering: .acquiring) < 100 { #expect(await signal.wait()) }
      await writer.value
    }
  }

  /// A set and a cancellation at once: whichever comes first, the wait ends, and ends once.
  @Test func aSetAndACancellationMeet() async {
    for _ in 0..<2_000 {
      let signal = Signal()
      let waiting = Task.detached { await signal.wait() }
      let setting = Task.detached { signal.set() }
      waiting.cancel()
      await setting.value
      // Either it came first, or it is still set.
      if await !waiting.value { #expect(await signal.wait()) }
    }
  }
}
