internal import Synchronization

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension UUIDv7 {
  /// A new identifier: now, a counter, 62 random bits. Ascending within the process, also when the clock is set back.
  public init() { self = UUIDv7Generator.shared.next() }
}

/// Makes identifiers that ascend: RFC 9562, section 6.2, method 1, with the counter running into the milliseconds when full.
final class UUIDv7Generator: Sendable {
  static let shared = UUIDv7Generator { Int64(Date().timeIntervalSince1970 * 1000) }

  private let last = Mutex<UInt64>(0)
  private let milliseconds: @Sendable () -> Int64

  /// - Parameter milliseconds: The wall clock, in Unix time.
  init(milliseconds: @escaping @Sendable () -> Int64) { self.milliseconds = milliseconds }

  func next() -> UUIDv7 {
    let now = UInt64(max(0, milliseconds())) << 12
    let time = last.withLock { last in
      last = max(now, last + 1)
      return last
    }
    return UUIDv7(time: time, replica: UInt64.random(in: 0...UInt64.max))
  }
}
