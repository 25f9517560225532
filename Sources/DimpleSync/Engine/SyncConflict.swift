public import DimpleChangelog
public import DimpleStore

/// Two devices wrote to one column of one row, or one deleted what the other wrote to, and neither knew of the other's write.
///
/// Told where the second of the two arrives at the device that wrote the first. Nothing has to be done about it: the same
/// write is kept everywhere, and the other can be read here.
public struct SyncConflict: Sendable, Hashable {
  /// One of the two.
  public struct Write: Sendable, Hashable {
    /// Which device.
    public var author: ReplicaID
    /// When, by its clock.
    public var time: HybridTime
    /// It deleted the row.
    public var isDelete: Bool
    /// `nil` of a delete, and where the value is not known here any more.
    public var value: SQLValue?
  }

  /// The table's name.
  public var table: String
  /// The primary key's values.
  public var key: [SQLValue]
  /// The column; where one deleted the row, the one that the other wrote to.
  public var column: String
  /// What the tables show.
  public var kept: Write
  /// What they do not show.
  public var lost: Write
}
