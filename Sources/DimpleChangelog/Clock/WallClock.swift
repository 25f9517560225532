#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// The time of day, as the hybrid clock is told it. Injected, so that tests turn it back, forward, or stop it.
package struct WallClock: Sendable {
  private let read: @Sendable () -> Int64

  /// A clock that answers with Unix milliseconds.
  package init(milliseconds read: @escaping @Sendable () -> Int64) { self.read = read }

  /// Unix time in milliseconds; not monotonic.
  package var milliseconds: Int64 { read() }

  /// The system's clock. The only place in this module that asks it.
  package static let system = WallClock { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
}
