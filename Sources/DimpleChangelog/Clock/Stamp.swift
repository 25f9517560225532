public import DimpleStore

/// One replica, that is one database file: 62 random bits, chosen when the file is first tracked.
public struct ReplicaID: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// 62 bits.
  public let rawValue: UInt64

  /// Keeps the low 62 bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue & 0x3FFF_FFFF_FFFF_FFFF }

  /// Numeric.
  public static func < (left: ReplicaID, right: ReplicaID) -> Bool { left.rawValue < right.rawValue }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// A point of hybrid logical time: 48 bits of Unix milliseconds and 12 bits of counter.
public struct HybridTime: Sendable, Hashable, Comparable {
  /// 60 bits; positive, so it is an SQLite rowid.
  public let rawValue: Int64

  /// From the 60 bits.
  public init(rawValue: Int64) { self.rawValue = rawValue }

  /// From Unix milliseconds and a counter of 12 bits.
  public init(milliseconds: Int64, counter: Int64 = 0) { rawValue = milliseconds << 12 | counter }

  /// Unix time.
  public var milliseconds: Int64 { rawValue >> 12 }

  /// Numeric.
  public static func < (left: HybridTime, right: HybridTime) -> Bool { left.rawValue < right.rawValue }
}

/// When and where a value was written: the total order by which the last writer wins.
public struct Stamp: Sendable, Hashable, Comparable {
  /// When.
  public let time: HybridTime
  /// Where; breaks ties of time.
  public let replica: ReplicaID

  /// From its parts.
  public init(time: HybridTime, replica: ReplicaID) {
    self.time = time
    self.replica = replica
  }

  /// The stamp as the identifier of a change: RFC 9562 version 7.
  public var uuid: UUIDv7 { UUIDv7(time: UInt64(bitPattern: time.rawValue), replica: replica.rawValue) }

  /// Time first, then replica.
  public static func < (left: Stamp, right: Stamp) -> Bool {
    (left.time, left.replica) < (right.time, right.replica)
  }
}
