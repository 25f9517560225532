#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// The device's time of day, injected so that tests can turn it back, forward, or stop it.
public struct WallClock: Sendable {
  /// Unix time in milliseconds; need not rise.
  public let milliseconds: @Sendable () -> Int64

  /// A clock of one's own.
  public init(milliseconds: @escaping @Sendable () -> Int64) { self.milliseconds = milliseconds }

  /// The system's. Nothing else in this module asks it.
  public static let system = WallClock { Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) }
}
