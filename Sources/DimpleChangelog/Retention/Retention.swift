extension Changelog {
  /// How long the log is kept: ``Options/retention``.
  public enum Retention: Sendable, Hashable {
    /// All of it, from the first transaction on.
    case all
    /// Transactions of the last so long, by the device's clock, and what sync still needs.
    case duration(Duration)
    /// Only what sync still needs: nothing where the database was never synced.
    case minimal
  }
}

/// What ``Changelog/trim()`` did.
public struct TrimReport: Sendable, Hashable {
  /// The number of the first transaction that the log now has; one more than the last where it has none.
  public var firstTransaction: Int64 = 1
  /// Rows removed from the log and from the record of merges.
  public var removedRows = 0
  /// What these held, in bytes. The file does not shrink: its pages are used again.
  public var removedBytes = 0
  /// Transactions of its own that it took, each of a few hundred rows at most.
  public var steps = 0
}

/// Up to which transaction the log may be removed. Pure.
struct TrimPlan: Equatable {
  /// The number of the first transaction to be kept.
  let kept: Int64

  /// - Parameters:
  ///   - last: The last transaction's number.
  ///   - kept: The first transaction that was kept so far; what was once removed does not come back.
  ///   - recent: The first transaction that ``Changelog/Retention/duration(_:)`` keeps.
  ///   - needed: The last transaction that sync does not need any more; `nil` where nobody ever synced.
  ///   - held: The first transaction that an undo stack of this process may undo.
  init(
    _ retention: Changelog.Retention, last: Int64, kept: Int64, recent: Int64, needed: Int64?, held: Int64?
  ) {
    let wanted =
      switch retention {
      case .all: Int64(1)
      case .duration: recent
      case .minimal: last + 1
      }
    let allowed = min(wanted, (needed ?? last) + 1, held ?? .max, last + 1)
    self.kept = max(kept, allowed)
  }
}
