internal import DimpleStore

/// What the triggers' functions share: the clock, the transaction's number, and the update being packed. Lives under the lock
/// of its ``Changelog``, and is used by the thread that holds the one writer connection.
struct ChangeRecorder {
  var clock = HybridClock()
  /// The number of the last committed transaction that changed anything.
  var lastTransaction: Int64 = 0
  /// The clock as the running transaction found it: what it logs is later.
  private(set) var committedClock = HybridClock()
  /// The running transaction has taken a time.
  private(set) var hasTicked = false
  /// What `dimple_diff` found, up to the log's INSERT that fetches it.
  private var update: PackedUpdate?
  /// Their memory is used again from row to row.
  private var payload = ByteWriter()
  private var oldValues = ByteWriter()

  private struct PackedUpdate {
    var isRekey: Bool
    var isDifferent: Bool
    var keepsOldValues: Bool
  }

  /// The running transaction's number.
  var currentTransaction: Int64 { lastTransaction + 1 }

  // MARK: - Transactions

  /// Goes on where the file is.
  mutating func resume(clock: HybridClock, lastTransaction: Int64) {
    self.clock = clock
    self.lastTransaction = lastTransaction
    begin()
  }

  mutating func begin() {
    committedClock = clock
    hasTicked = false
    update = nil
  }

  /// - Parameter hasLogged: Whether the log has a row of it.
  mutating func commit(hasLogged: Bool) {
    if hasLogged { lastTransaction += 1 }
    begin()
  }

  mutating func rollBack() {
    clock = committedClock
    begin()
  }

  mutating func tick(milliseconds: Int64) throws -> HybridTime {
    hasTicked = true
    return try clock.tick(milliseconds: milliseconds)
  }

  // MARK: - Insert and delete

  /// `dimple_pack_insert`, `dimple_pack_delete`: shape, key, columns.
  mutating func pack(_ operation: LogRecord.Operation, _ call: borrowing FunctionCall) throws {
    try ShapeCursor.read(call, argument: 0) { shape in
      let head = try shape.head()
      payload.removeAll()
      payload.head(operation, transaction: currentTransaction, table: head.table, keyCount: head.keyCount)
      for index in 1...head.keyCount { try appendKey(call, index, table: head.table) }
      try appendColumns(&shape, call, from: 1 + head.keyCount)
    }
    payload.bytes.withUnsafeBytes { call.setResult(blob: $0) }
  }

  /// `dimple_pack_more`: the payload so far, column ids, columns.
  mutating func packMore(_ call: borrowing FunctionCall) throws {
    payload.removeAll()
    call.withBytes(0) { payload.append(raw: $0) }
    try ShapeCursor.read(call, argument: 1) { shape in try appendColumns(&shape, call, from: 2) }
    payload.bytes.withUnsafeBytes { call.setResult(blob: $0) }
  }

  private mutating func appendColumns(_ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int)
    throws
  {
    for index in first..<max(first, call.argumentCount) {
      payload.varint(try shape.number())
      payload.argument(call, index)
    }
    try shape.end()
  }

  // MARK: - Update

  /// `dimple_diff`: shape, old key, new key, old columns, new columns. The result is whether type or bytes of any differ:
  /// SQLite's `IS NOT` would miss 'abc' and 'ABC' under NOCASE, and 1 and 1.0.
  ///
  /// A rekey is two changes: it takes a time here, for its delete, and the log row's time is its insert's.
  mutating func diff(_ call: borrowing FunctionCall, milliseconds: Int64) throws {
    update = nil
    try ShapeCursor.read(call, argument: 0) { shape in
      let head = try shape.head()
      let keyCount = head.keyCount
      for index in 1...keyCount { try checkKey(call, keyCount + index, table: head.table) }
      let isRekey = !(1...keyCount).allSatisfy { call.areIdentical($0, keyCount + $0) }
      if isRekey { _ = try tick(milliseconds: milliseconds) }
      payload.removeAll()
      oldValues.removeAll()
      payload.head(isRekey ? .rekey : .update, transaction: currentTransaction, table: head.table, keyCount: keyCount)
      for index in 1...keyCount { payload.argument(call, keyCount + index) }
      if isRekey { for index in 1...keyCount { payload.argument(call, index) } }
      update = PackedUpdate(isRekey: isRekey, isDifferent: isRekey, keepsOldValues: head.keepsOldValues)
      try diffColumns(&shape, call, from: 1 + 2 * keyCount)
    }
    finishDiff(call)
  }

  /// `dimple_diff_more`: the result so far, column ids, old columns, new columns.
  mutating func diffMore(_ call: borrowing FunctionCall) throws {
    try ShapeCursor.read(call, argument: 1) { shape in try diffColumns(&shape, call, from: 2) }
    finishDiff(call)
  }

  private mutating func diffColumns(_ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int) throws
  {
    guard var update else { throw ShapeCursor.mismatch("a continued comparison without a beginning") }
    let count = (call.argumentCount - first) / 2
    for index in first..<first + max(0, count) {
      let column = try shape.number()
      // The insert half of a rekey says every column.
      if !update.isRekey, call.areIdentical(index, index + count) { continue }
      update.isDifferent = true
      payload.varint(column)
      payload.argument(call, index + count)
      if update.isRekey, update.keepsOldValues {
        oldValues.varint(column)
        oldValues.argument(call, index)
      }
    }
    try shape.end()
    self.update = update
  }

  private func finishDiff(_ call: borrowing FunctionCall) {
    call.setResult(.integer(update?.isDifferent == true ? 1 : 0))
  }

  /// `dimple_payload`: what the comparison packed.
  mutating func takeUpdate(_ call: borrowing FunctionCall) throws {
    guard update != nil else { throw ShapeCursor.mismatch("an update that was not compared") }
    update = nil
    if !oldValues.bytes.isEmpty {
      payload.byte(0)
      payload.append(oldValues)
    }
    payload.bytes.withUnsafeBytes { call.setResult(blob: $0) }
  }

  // MARK: - Keys

  private mutating func appendKey(_ call: borrowing FunctionCall, _ index: Int, table: Int64) throws {
    try checkKey(call, index, table: table)
    payload.argument(call, index)
  }

  private func checkKey(_ call: borrowing FunctionCall, _ index: Int, table: Int64) throws {
    if call.type(index) == .null { throw NullKey(table: table) }
  }
}

/// A row whose primary key has `NULL` was written to the table of that id.
struct NullKey: Error {
  var table: Int64
}
