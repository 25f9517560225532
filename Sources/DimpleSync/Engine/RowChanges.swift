internal import DimpleChangelog
internal import DimpleStore

extension Changelog {
  /// Calls `body` with the own changes of one row, oldest first, and with their large values, which are left where they are. Reads
  /// the whole log, one transaction at a time.
  ///
  /// - Parameters:
  ///   - table: As the schema calls it.
  ///   - transaction: Only changes of transactions with a higher number.
  func changes(
    of key: [SQLValue], in table: String, after transaction: Int64, _ connection: Connection,
    _ body: (Change, [LargeColumn]) throws -> Void
  ) throws {
    try transactions(connection, after: transaction, leavingLongerThan: BigReference.threshold) { _, _ in
    } _: { local in
      for (index, change) in local.changes.enumerated()
      where change.key == key && change.table.hasSameBytes(as: table) {
        try body(change, local.large.filter { $0.change == index })
      }
      return true
    }
  }
}

extension LargeValue {
  /// All of it.
  func value(_ connection: Connection) throws -> SQLValue {
    SQLValue(try bytes(from: 0, count: count, connection), isText: isText)
  }
}

extension SQLValue {
  /// A blob, or a text by its bytes.
  init(_ bytes: [UInt8], isText: Bool) {
    guard isText else {
      self = .blob(bytes)
      return
    }
    self = String(validating: bytes, as: UTF8.self).map(SQLValue.text) ?? .invalidText(bytes)
  }
}
