import Testing

@testable import DimpleStore

@Suite struct LookScheduleTests {
  @Test func aSignIsFollowedByLooksFurtherAndFurtherApart() {
    var schedule = LookSchedule()
    var look = schedule.signCame()
    var delays: [Int] = []
    while let current = look {
      delays.append(current.delayMilliseconds)
      look = schedule.timerFired(current.timer)
    }
    #expect(delays == [10, 20, 50, 100, 300, 1000])
    #expect(schedule.signCame() != nil)
  }

  @Test func signsRightAfterALookAreAnsweredTogether() throws {
    var schedule = LookSchedule()
    let firstLook = schedule.signCame()
    let first = try #require(firstLook)
    #expect(schedule.signCame() == nil)
    #expect(schedule.signCame() == nil)
    let secondLook = schedule.timerFired(first.timer)
    let second = try #require(secondLook)
    #expect(second.delayMilliseconds == 10)
    #expect(schedule.timerFired(second.timer)?.delayMilliseconds == 20)
  }

  @Test func aSignAmongTheLaterLooksIsAnsweredAtOnce() throws {
    var schedule = LookSchedule()
    let firstLook = schedule.signCame()
    let first = try #require(firstLook)
    let secondLook = schedule.timerFired(first.timer)
    let second = try #require(secondLook)
    #expect(schedule.signCame()?.delayMilliseconds == 10)
    #expect(schedule.timerFired(second.timer) == nil)
  }

  @Test func aLookThatFailedIsMadeAgain() throws {
    var schedule = LookSchedule()
    let firstLook = schedule.signCame()
    var look = try #require(firstLook)
    for _ in 0..<10 {
      schedule.lookFailed()
      let next = schedule.timerFired(look.timer)
      look = try #require(next)
    }
  }
}
