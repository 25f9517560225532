#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// The device's clock, injected so that tests can set it.
public struct WallClock: Sendable {
  /// Milliseconds since 1970.
  public let milliseconds: @Sendable () -> Int64

  /// A clock of one's own.
  public init(milliseconds: @escaping @Sendable () -> Int64) { self.milliseconds = milliseconds }

  /// The system's.
  public static let system = WallClock { Int64(Date().timeIntervalSince1970 * 1000) }
}

/// A hybrid logical clock: follows the wall clock while that goes forward, and counts on where it does not. A full counter
/// carries into the milliseconds.
struct HybridClock {
  /// The last time given out or received.
  private(set) var last = HybridTime(rawValue: 0)

  /// A time later than every one before.
  mutating func tick(wall milliseconds: Int64) -> HybridTime {
    last = max(HybridTime(milliseconds: max(0, milliseconds)), HybridTime(rawValue: last.rawValue + 1))
    return last
  }

  /// From now on, later than `time`.
  mutating func receive(_ time: HybridTime) { last = max(last, time) }

  /// Back to before a transaction that was rolled back, or taken from the database.
  mutating func reset(to time: HybridTime) { last = time }
}
