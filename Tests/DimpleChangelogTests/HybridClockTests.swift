import DimpleChangelog
import DimpleStore
import Testing

@Suite("The hybrid clock")
struct HybridClockTests {
  @Test func aTimeGoesOnByADurationWithinWhatThereIs() {
    let time = HybridTime(milliseconds: 1000, counter: 7)
    #expect(time.advanced(by: .milliseconds(500)) == HybridTime(milliseconds: 1500))
    #expect(time.advanced(by: .microseconds(1999)) == HybridTime(milliseconds: 1001))
    #expect(time.advanced(by: .seconds(-2)) == HybridTime(milliseconds: 0))
    #expect(time.advanced(by: .seconds(Int64.max)) == HybridTime(milliseconds: 1 << 48 - 1))
    #expect(time.advanced(by: .seconds(Int64.min)) == HybridTime(milliseconds: 0))
    #expect(HybridTime.maximum.advanced(by: .seconds(1)) == HybridTime(milliseconds: 1 << 48 - 1))
  }

  @Test("Follows the wall clock while that goes forward")
  func followsTheWallClock() throws {
    var clock = HybridClock()
    #expect(try clock.tick(milliseconds: 1000) == HybridTime(milliseconds: 1000))
    #expect(try clock.tick(milliseconds: 1001) == HybridTime(milliseconds: 1001))
  }

  @Test("Rises where the wall clock stands or goes back")
  func risesRegardless() throws {
    var clock = HybridClock()
    let times = try [500, 500, 100, -7, 0, Int64.min].map { try clock.tick(milliseconds: $0) }
    #expect(times == times.sorted() && Set(times).count == times.count)
    #expect(times.last == HybridTime(milliseconds: 500, counter: 5))
  }

  @Test("A full counter carries into the milliseconds, and the wall clock catches up")
  func counterCarries() throws {
    var clock = HybridClock()
    var last = HybridTime(rawValue: 0)
    for _ in 0..<5000 { last = try clock.tick(milliseconds: 10) }
    #expect(last == HybridTime(milliseconds: 11, counter: 5000 - 4096 - 1))
    #expect(try clock.tick(milliseconds: 12) == HybridTime(milliseconds: 12))
  }

  @Test("A received time is passed, an old one ignored")
  func receives() throws {
    var clock = HybridClock(last: HybridTime(milliseconds: 50))
    try clock.receive(HybridTime(milliseconds: 70, counter: 9))
    #expect(try clock.tick(milliseconds: 51) == HybridTime(milliseconds: 70, counter: 10))
    try clock.receive(HybridTime(milliseconds: 60))
    #expect(try clock.tick(milliseconds: 51) == HybridTime(milliseconds: 70, counter: 11))
  }

  @Test("The end of time is an error, not a wrapped number")
  func endOfTime() throws {
    var clock = HybridClock()
    #expect(throws: ChangelogError.self) { try clock.receive(HybridTime.maximum) }
    #expect(clock.last == HybridTime(rawValue: 0))
    #expect(try clock.tick(milliseconds: .max) == HybridTime(milliseconds: 1 << 48 - 1))
    try clock.receive(HybridTime(rawValue: HybridTime.maximum.rawValue - 1))
    #expect(try clock.tick(milliseconds: 0) == HybridTime.maximum)
    let error = #expect(throws: ChangelogError.self) { try clock.tick(milliseconds: 0) }
    #expect(error?.code == .clockExhausted)
  }

  @Test("A stamp's UUID is of version 7 and orders like the stamp")
  func uuid() {
    let stamp = Stamp(time: HybridTime(milliseconds: 0x0193_1F3A_7C4E, counter: 0xABC), replica: ReplicaID(rawValue: 5))
    #expect(stamp.uuid.description == "01931f3a-7c4e-7abc-8000-000000000005")
    let later = Stamp(time: HybridTime(milliseconds: 0x0193_1F3A_7C4F), replica: ReplicaID(rawValue: 1))
    #expect(stamp < later && stamp.uuid < later.uuid)
  }
}
