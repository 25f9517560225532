/// How far a sync is.
public struct SyncProgress: Sendable, Hashable {
  /// What a sync is doing. A sync goes through them in this order, and leaves out what has no work;
  /// large pulls alternate between pulling and merging, and objects that vanish are listed again.
  public enum Phase: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// Asking the storage what is there.
    case listing
    /// Getting others' packs.
    case pulling
    /// Taking them in.
    case merging
    /// Sending the own changes.
    case pushing
    /// Joining own packs, where there are many.
    case compacting
    /// Writing a snapshot, where one is due.
    case snapshotting

    /// Whether a sync comes to `one` first.
    public static func < (one: Phase, other: Phase) -> Bool { one.rawValue < other.rawValue }
  }

  /// What it is doing.
  public var phase: Phase
  /// Done so far in this phase: fetched when pulling, looked at when merging, sent when pushing.
  public var transactions: Int64 = 0
  /// To do in this phase, as far as is known by now.
  public var totalTransactions: Int64 = 0
  /// Done so far in this phase, as they travel. Only pulling, pushing and compacting count bytes.
  public var bytes: Int64 = 0
  /// To do in this phase; `nil` when that is not known beforehand, as when pushing.
  public var totalBytes: Int64?

  init(_ phase: Phase) { self.phase = phase }
}
