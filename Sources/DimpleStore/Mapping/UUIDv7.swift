/// A time-ordered identifier: RFC 9562 section 5.7. Comparing two compares their times first.
///
/// As a hybrid logical clock its 128 bits are: 48 bits of Unix milliseconds, the version, 12 bits of counter (`rand_a`), the
/// variant, 62 bits of replica or randomness (`rand_b`).
public struct UUIDv7: Sendable, Hashable, Comparable {
  /// The first eight bytes, big-endian: milliseconds, version 7, `rand_a`.
  public let high: UInt64
  /// The last eight bytes, big-endian: variant `10`, `rand_b`.
  public let low: UInt64

  /// From its two halves; version and variant bits are overwritten with those of a version 7 UUID.
  public init(high: UInt64, low: UInt64) {
    self.high = high & ~0xF000 | 0x7000
    self.low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
  }

  /// From the parts of a hybrid logical clock.
  ///
  /// - Parameters:
  ///   - time: 60 bits: 48 of Unix milliseconds, 12 of counter.
  ///   - replica: 62 bits.
  public init(time: UInt64, replica: UInt64) {
    self.init(high: (time >> 12) << 16 | time & 0xFFF, low: replica)
  }

  /// The first 60 bits without the version: 48 of Unix milliseconds, 12 of counter.
  public var time: UInt64 { (high >> 16) << 12 | high & 0xFFF }

  /// `rand_b`, 62 bits.
  public var replica: UInt64 { low & 0x3FFF_FFFF_FFFF_FFFF }

  /// Unix time in milliseconds.
  public var milliseconds: Int64 { Int64(high >> 16) }

  /// By bytes.
  public static func < (left: UUIDv7, right: UUIDv7) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}
