internal import DimpleStore

/// The hybrid logical clock: rises with the wall clock, never falls, and stays above every time it was shown.
///
/// 48 bits of Unix milliseconds and 12 bits of counter, added as one number: a full counter carries into the milliseconds,
/// so more than 4,096 ticks in a millisecond only run ahead of the wall clock until it catches up. After Kulkarni et al.,
/// "Logical Physical Clocks" (2014), with the two components packed into the one integer of RFC 9562's version 7.
package struct HybridClock: Sendable, Equatable {
  /// The greatest time given out or received.
  package private(set) var last: HybridTime

  /// A clock that goes on from `last`.
  package init(last: HybridTime = HybridTime(rawValue: 0)) { self.last = last }

  /// The wall clock's reading as a hybrid time, held within 48 bits.
  package static func time(ofMilliseconds milliseconds: Int64) -> HybridTime {
    HybridTime(milliseconds: min(max(milliseconds, 0), 1 << 48 - 1))
  }

  /// The next time: the wall clock's, or one more than the last where that is greater.
  ///
  /// - Throws: ``ChangelogError`` `.clockExhausted` past `HybridTime.maximum`.
  @discardableResult
  package mutating func tick(milliseconds: Int64) throws -> HybridTime {
    let next = max(HybridClock.time(ofMilliseconds: milliseconds), HybridTime(rawValue: last.rawValue + 1))
    guard next <= HybridTime.maximum else { throw HybridClock.exhausted("tick") }
    last = next
    return next
  }

  /// The very next time, or times.
  ///
  /// - Throws: ``ChangelogError`` `.clockExhausted` past `HybridTime.maximum`.
  package mutating func advance(by count: Int64 = 1) throws {
    guard last.rawValue <= HybridTime.maximum.rawValue - count else { throw HybridClock.exhausted("tick") }
    last = HybridTime(rawValue: last.rawValue + count)
  }

  /// Moves past a time seen elsewhere; the next tick is greater. A time already passed changes nothing.
  ///
  /// - Throws: ``ChangelogError`` `.clockExhausted` where no greater time would be left.
  package mutating func receive(_ time: HybridTime) throws {
    guard time < HybridTime.maximum else { throw HybridClock.exhausted("receive") }
    last = max(last, time)
  }

  private static func exhausted(_ operation: String) -> ChangelogError {
    ChangelogError(
      .clockExhausted, operation: "\(operation) the clock", message: "the hybrid clock has reached its last time.",
      hint: "A change stamped at the end of time was taken in; restore a backup from before it.")
  }
}

extension HybridTime {
  /// The greatest time of 60 bits, in the year 10889.
  package static let maximum = HybridTime(rawValue: 1 << 60 - 1)

  /// So much later, or earlier, in whole milliseconds and without the counter; held within 48 bits of them.
  package func advanced(by duration: Duration) -> HybridTime {
    let (sum, isTooMuch) = milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
    return HybridClock.time(ofMilliseconds: isTooMuch ? .max : sum)
  }
}
