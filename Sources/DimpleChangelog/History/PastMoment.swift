internal import DimpleStore

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

/// A moment in a database's past: what its tables showed then.
public struct PastMoment: Sendable, Hashable {
  enum Kind: Hashable {
    case transaction(Int64)
    case time(HybridTime)
    case change(Stamp)
  }

  let kind: Kind

  /// Right after a transaction of this database; 0 is before the first.
  public static func transaction(_ number: Int64) -> PastMoment { PastMoment(kind: .transaction(number)) }

  /// After the last transaction that was committed by then, by this database's clock.
  public static func time(_ time: HybridTime) -> PastMoment { PastMoment(kind: .time(time)) }

  /// After the last transaction that was committed by then, to the millisecond, by this database's clock.
  public static func time(_ date: Date) -> PastMoment { PastMoment(kind: .time(HybridTime(endOf: date))) }

  /// Right after a change made in this database, in the middle of its transaction if it was not the last one of that.
  public static func change(_ stamp: Stamp) -> PastMoment { PastMoment(kind: .change(stamp)) }
}

/// A moment, found in the history.
struct HistoryPoint {
  var position: HistoryPosition
  /// Of the position's transaction, only what came up to here.
  var time: HybridTime?

  /// Right after a transaction.
  init(after transaction: Int64) { position = HistoryPosition(transaction: transaction) }

  /// Whether a step of the history came up to then.
  func includes(_ step: HistoryStep, at position: HistoryPosition) -> Bool {
    if position != self.position { return position < self.position }
    if let time, case .event(let event) = step { return event.stamp.time <= time }
    return true
  }
}

extension HistoryPoint {
  static let operation = "query the past"

  /// - Throws: ``ChangelogError``: `.noSuchMoment`, `.historyRemoved`, `.damagedLog`; `StoreError`.
  init(_ moment: PastMoment, _ reader: HistoryReader) throws {
    let last = try reader.changelog.lastTransaction(reader.connection)
    switch moment.kind {
    case .transaction(let number):
      guard (0...last).contains(number) else {
        throw HistoryPoint.noSuchMoment("The last transaction is \(last).", "Ask for one from 0 to that.")
      }
      self.init(after: number)
    case .time(let time): try self.init(time: time, reader)
    case .change(let stamp): try self.init(change: stamp, reader)
    }
    guard try position.transaction >= reader.firstTransaction() - 1 else {
      throw HistoryGap.removed.error(HistoryPoint.operation, "that moment")
    }
  }

  private init(time: HybridTime, _ reader: HistoryReader) throws {
    let last = try reader.lastTransaction { ($0.changes.last?.stamp.time ?? HybridTime.maximum) <= time }
    // Before the first that the log has: before all, or among those that were removed.
    self.init(after: last?.number ?? 0)
    let merges = try MergeCursor(reader.connection, after: position.transaction - 1)
    defer { merges.end() }
    while let merge = try merges.next(before: position.transaction + 1), merge.time <= time {
      position.merge = merge.id
    }
  }

  private init(change stamp: Stamp, _ reader: HistoryReader) throws {
    let transaction = try reader.lastTransaction { ($0.changes.first?.stamp.time ?? HybridTime.maximum) <= stamp.time }
    guard let transaction, transaction.changes.contains(where: { $0.stamp == stamp }) else {
      throw HistoryPoint.noSuchMoment(
        "This database's log has no change with that stamp.",
        "A change that came from another replica is no moment here: ask for a time or a transaction.")
    }
    self.init(after: transaction.number)
    time = stamp.time
  }

  private static func noSuchMoment(_ message: String, _ hint: String) -> ChangelogError {
    ChangelogError(.noSuchMoment, operation: operation, message: message, hint: hint)
  }
}
