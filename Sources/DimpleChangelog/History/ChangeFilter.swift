public import DimpleStore

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

/// Which changes are asked for: those that satisfy every condition that is set. Without one, all.
///
/// ```swift
/// try db.changelog?.changes(matching: ChangeFilter(tables: ["Todo"], columns: ["completed"]), limit: 20)
/// ```
public struct ChangeFilter: Sendable, Hashable {
  /// Changes of these tables, by their names of now, or the last ones of what was dropped; in any case.
  public var tables: Set<String>?
  /// Changes of the row with this primary key, in the order of the key's columns, to the bit.
  public var key: [SQLValue]?
  /// Changes that wrote one of these columns outside the key, by name, in any case. A delete counts as having written all.
  public var columns: Set<String>?
  /// Changes made by this replica.
  public var author: ReplicaID?
  /// Changes stamped in this range of time, both ends included.
  public var times: ClosedRange<HybridTime>?
  /// Changes of transactions with these numbers, both ends included.
  public var transactions: ClosedRange<Int64>?

  /// From its conditions; `nil` sets none.
  public init(
    tables: Set<String>? = nil, key: [SQLValue]? = nil, columns: Set<String>? = nil, author: ReplicaID? = nil,
    times: ClosedRange<HybridTime>? = nil, transactions: ClosedRange<Int64>? = nil
  ) {
    self.tables = tables
    self.key = key
    self.columns = columns
    self.author = author
    self.times = times
    self.transactions = transactions
  }
}

/// In which order changes are listed.
public enum ChangeOrder: Sendable, Hashable {
  /// As they were made.
  case oldestFirst
  /// The last one first.
  case newestFirst
}

/// The filter made ready to look at many changes.
struct ChangeMatcher {
  private let filter: ChangeFilter
  private let tables: Set<SQLName>?
  private let columns: Set<SQLName>?

  init(_ filter: ChangeFilter) {
    self.filter = filter
    tables = filter.tables.map { Set($0.map { SQLName($0) }) }
    columns = filter.columns.map { Set($0.map { SQLName($0) }) }
  }

  func matches(_ change: Change) -> Bool {
    if let author = filter.author, change.stamp.replica != author { return false }
    if let times = filter.times, !times.contains(change.stamp.time) { return false }
    if let numbers = filter.transactions, !numbers.contains(change.transaction) { return false }
    if let key = filter.key, change.key != key { return false }
    if let tables, !tables.contains(SQLName(change.table)) { return false }
    guard let columns, change.operation != .delete else { return true }
    return change.columns.contains { columns.contains(SQLName($0.name)) }
  }

  /// Transactions up to this number need no look.
  var after: Int64 { max(1, filter.transactions?.lowerBound ?? 1) - 1 }

  /// Nothing later in the log can match.
  func isPast(_ transaction: LocalTransaction) -> Bool {
    if let numbers = filter.transactions, transaction.number > numbers.upperBound { return true }
    if let times = filter.times, let first = transaction.changes.first { return first.stamp.time > times.upperBound }
    return false
  }
}

extension HybridTime {
  /// The last moment of the date's millisecond: what was stamped at the date or before is not later.
  ///
  /// Dates before 1970 count as 1970, and those after the year 10889 as that.
  public init(endOf date: Date) {
    let milliseconds = (date.timeIntervalSince1970 * 1000).rounded(.down)
    let limit = Double(1 << 48 - 1)
    self.init(milliseconds: Int64(min(max(milliseconds.isNaN ? 0 : milliseconds, 0), limit)), counter: 0xFFF)
  }

  /// The wall clock's part, to the millisecond.
  public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
