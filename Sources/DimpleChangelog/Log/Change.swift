public import DimpleStore

/// One row's write inside a transaction, as the log keeps it.
public struct Change: Sendable, Hashable {
  /// What was done to the row.
  public enum Operation: String, Sendable, Hashable {
    /// The row came to be; ``Change/columns`` holds every column outside the key.
    case insert
    /// Some columns changed; ``Change/columns`` holds those, with their new values.
    case update
    /// The row went. ``Change/columns`` is empty, or holds the old values where another tracked table refers to this one.
    case delete
  }

  /// Unique, ascending within a replica; also the change's identity (``Stamp/uuid``).
  public var stamp: Stamp
  /// The number of its transaction: 1, 2, 3 … per replica.
  public var transaction: Int64
  /// The table's name as it is now.
  public var table: String
  /// The primary key's values, in the order of the key's columns.
  public var key: [SQLValue]
  /// What was done.
  public var operation: Operation
  /// Column names as they are now, and values.
  public var columns: [ColumnValue]

  /// A change from its parts.
  public init(
    stamp: Stamp, transaction: Int64, table: String, key: [SQLValue], operation: Operation, columns: [ColumnValue]
  ) {
    self.stamp = stamp
    self.transaction = transaction
    self.table = table
    self.key = key
    self.operation = operation
    self.columns = columns
  }
}

/// A column's name and a value of it.
public struct ColumnValue: Sendable, Hashable {
  /// The column's name.
  public var name: String
  /// Kept to the bit.
  public var value: SQLValue

  /// From its parts.
  public init(name: String, value: SQLValue) {
    self.name = name
    self.value = value
  }
}
