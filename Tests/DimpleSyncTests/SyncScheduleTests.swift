import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("When to sync")
struct SyncScheduleTests {
  private func schedule(
    jitter: Double = 0, seed: UInt64 = 1, _ change: (inout BackgroundSync.Options) -> Void = { _ in }
  ) -> SyncSchedule {
    var options = BackgroundSync.Options()
    options.jitter = jitter
    change(&options)
    return SyncSchedule(every: .seconds(60), options: options, random: SeededRandom(seed: seed), at: .zero)
  }

  /// After a first sync that took no time.
  private func synced() -> SyncSchedule {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncSucceeded, at: .zero)
    return schedule
  }

  private let failure = SyncSchedule.Event.syncFailed(isRetryable: true, retryAfter: nil)

  @Test func theFirstSyncIsDueAtOnce() { #expect(schedule().action(at: .zero) == .syncNow) }

  @Test func nothingBeginsWhileASyncRuns() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.requested, at: .zero)
    schedule.handle(.localCommit, at: .zero)
    #expect(schedule.action(at: .seconds(1000)) == .wait(until: nil))
  }

  @Test func theNextTickIsAnIntervalAfterTheEnd() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncSucceeded, at: .seconds(5))
    #expect(schedule.action(at: .seconds(5)) == .wait(until: .seconds(65)))
    #expect(schedule.action(at: .seconds(65)) == .syncNow)
  }

  @Test func jitterSpreadsTheTicksWithinItsShare() {
    var ticks: Set<Duration> = []
    for seed in 0..<50 {
      var schedule = schedule(jitter: 0.1, seed: UInt64(seed))
      schedule.handle(.syncBegan, at: .zero)
      schedule.handle(.syncSucceeded, at: .zero)
      guard case .wait(let tick?) = schedule.action(at: .zero) else {
        Issue.record("No tick.")
        continue
      }
      #expect(tick >= .seconds(54) && tick <= .seconds(66))
      ticks.insert(tick)
    }
    #expect(ticks.count > 40)
  }

  @Test func commitsAreWaitedOutButNotForever() {
    var schedule = synced()
    schedule.handle(.localCommit, at: .seconds(1))
    #expect(schedule.action(at: .seconds(1)) == .wait(until: .seconds(3)))
    schedule.handle(.localCommit, at: .seconds(2))
    #expect(schedule.action(at: .seconds(3)) == .wait(until: .seconds(4)))
    for second in 3...10 { schedule.handle(.localCommit, at: .seconds(second)) }
    #expect(schedule.action(at: .seconds(10)) == .wait(until: .seconds(11)))
    #expect(schedule.action(at: .seconds(11)) == .syncNow)
  }

  @Test func aCommitDuringASyncIsForTheNext() {
    var schedule = synced()
    schedule.handle(.localCommit, at: .seconds(1))
    schedule.handle(.syncBegan, at: .seconds(3))
    schedule.handle(.localCommit, at: .seconds(4))
    schedule.handle(.syncSucceeded, at: .seconds(5))
    #expect(schedule.action(at: .seconds(5)) == .wait(until: .seconds(6)))
    schedule.handle(.syncBegan, at: .seconds(6))
    schedule.handle(.syncSucceeded, at: .seconds(6))
    #expect(schedule.action(at: .seconds(6)) == .wait(until: .seconds(66)))
  }

  @Test func retriesAreFurtherAndFurtherApartUntilTheBudgetIsSpent() {
    var schedule = schedule {
      $0.maximumRetryDelay = .seconds(4)
      $0.fastRetries = 5
    }
    var now = Duration.zero
    for ceiling in [1, 2, 4, 4, 4] {
      schedule.handle(.syncBegan, at: now)
      schedule.handle(failure, at: now)
      guard case .wait(let retry?) = schedule.action(at: now) else {
        Issue.record("No retry.")
        return
      }
      #expect(retry - now >= .seconds(ceiling) / 2 && retry - now <= .seconds(ceiling))
      now = retry
      #expect(schedule.action(at: now) == .syncNow)
    }
    schedule.handle(.syncBegan, at: now)
    schedule.handle(failure, at: now)
    #expect(schedule.action(at: now) == .wait(until: .seconds(60)))
    // A local commit does not hurry it.
    schedule.handle(.localCommit, at: now)
    #expect(schedule.action(at: now) == .wait(until: .seconds(60)))
    // The tick brings a new budget.
    schedule.handle(.syncBegan, at: .seconds(60))
    schedule.handle(failure, at: .seconds(60))
    guard case .wait(let retry?) = schedule.action(at: .seconds(60)) else {
      Issue.record("No retry.")
      return
    }
    #expect(retry <= .seconds(61))
  }

  @Test func aSuccessEndsTheBackoff() {
    var schedule = synced()
    schedule.handle(.requested, at: .seconds(1))
    schedule.handle(.syncBegan, at: .seconds(1))
    schedule.handle(failure, at: .seconds(1))
    schedule.handle(.syncBegan, at: .seconds(2))
    schedule.handle(.syncSucceeded, at: .seconds(2))
    #expect(schedule.action(at: .seconds(2)) == .wait(until: .seconds(62)))
    schedule.handle(.localCommit, at: .seconds(3))
    #expect(schedule.action(at: .seconds(3)) == .wait(until: .seconds(5)))
  }

  @Test func theFarSideIsLeftAloneAsLongAsItAsks() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncFailed(isRetryable: true, retryAfter: .seconds(90)), at: .zero)
    #expect(schedule.action(at: .zero) == .wait(until: .seconds(90)))
    schedule.handle(.requested, at: .seconds(1))
    #expect(schedule.action(at: .seconds(1)) == .syncNow)
  }

  @Test func theFarSideIsLeftAloneForAnHourAtMost() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncFailed(isRetryable: true, retryAfter: .seconds(Int64.max)), at: .seconds(5))
    #expect(schedule.action(at: .seconds(5)) == .wait(until: .seconds(3605)))
  }

  @Test func aSuccessEndsTheWaitThatTheFarSideAskedFor() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncFailed(isRetryable: true, retryAfter: .seconds(3000)), at: .zero)
    schedule.handle(.requested, at: .seconds(1))
    schedule.handle(.syncBegan, at: .seconds(1))
    schedule.handle(.syncSucceeded, at: .seconds(1))
    #expect(schedule.action(at: .seconds(1)) == .wait(until: .seconds(61)))
  }

  @Test func whatWillNotPassStops() {
    var schedule = synced()
    schedule.handle(.requested, at: .zero)
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.syncFailed(isRetryable: false, retryAfter: nil), at: .zero)
    for event: SyncSchedule.Event in [.requested, .resumed, .localCommit] { schedule.handle(event, at: .zero) }
    #expect(schedule.action(at: .seconds(1000)) == .stop)
  }

  @Test func aPauseHoldsEverythingAndEndsWithASync() {
    var schedule = synced()
    schedule.handle(.paused, at: .seconds(1))
    schedule.handle(.requested, at: .seconds(2))
    schedule.handle(.localCommit, at: .seconds(2))
    #expect(schedule.action(at: .seconds(1000)) == .wait(until: nil))
    schedule.handle(.resumed, at: .seconds(1001))
    #expect(schedule.action(at: .seconds(1001)) == .syncNow)
  }

  @Test func aSyncBrokenOffByAPauseIsDoneAgain() {
    var schedule = schedule()
    schedule.handle(.syncBegan, at: .zero)
    schedule.handle(.paused, at: .seconds(1))
    schedule.handle(.resumed, at: .seconds(2))
    #expect(schedule.action(at: .seconds(2)) == .wait(until: nil))
    schedule.handle(.syncCancelled, at: .seconds(3))
    #expect(schedule.action(at: .seconds(3)) == .syncNow)
  }

  @Test func resumingWhatWasNotPausedDoesNothing() {
    var schedule = synced()
    schedule.handle(.resumed, at: .seconds(1))
    #expect(schedule.action(at: .seconds(1)) == .wait(until: .seconds(60)))
  }
}
