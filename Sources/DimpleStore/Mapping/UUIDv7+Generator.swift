internal import DimpleMutex

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension UUIDv7 {
  /// A new identifier: the current time and 62 random bits, greater than all made before in this process.
  ///
  /// Safe to call from any thread. If the system's clock is set back, the time goes on from the last one made.
  public init() {
    let now = UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    self = Self.generator.withLock { $0.next(milliseconds: now, random: UInt64.random(in: 0...UInt64.max)) }
  }

  private static let generator = Mutex(Generator())

  /// Makes identifiers that ascend: time and chance are handed in.
  ///
  /// The 12 bits of `rand_a` count within a millisecond (RFC 9562 section 6.2, method 1); full, they carry into the next.
  public struct Generator: Sendable {
    private var last: UInt64 = 0

    /// A generator that has made nothing yet.
    public init() {}

    /// The next identifier, greater than the one before whatever the clock says.
    ///
    /// - Parameters:
    ///   - milliseconds: Unix time.
    ///   - random: The lower 62 bits become `rand_b`.
    public mutating func next(milliseconds: UInt64, random: UInt64) -> UUIDv7 {
      last = max(milliseconds << 12, last + 1)
      return UUIDv7(time: last, replica: random)
    }
  }
}
