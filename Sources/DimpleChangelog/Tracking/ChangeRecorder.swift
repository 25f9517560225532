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
  private var payload = PayloadBuffer()
  private var oldValues = PayloadBuffer()

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

  /// The log's times were moved; taken back with the transaction.
  mutating func setBack(to time: HybridTime) { clock = HybridClock(last: time) }

  mutating func tick(milliseconds: Int64) throws -> HybridTime {
    hasTicked = true
    return try clock.tick(milliseconds: milliseconds)
  }

  // MARK: - Insert and delete

  /// `dimple_pack_insert`, `dimple_pack_delete`: shape, key, columns.
  mutating func pack(_ operation: LogRecord.Operation, _ call: borrowing FunctionCall) throws {
    var shape = ShapeCursor(call, argument: 0)
    let head = try shape.head()
    payload.removeAll()
    payload.head(operation, transaction: currentTransaction, table: head.table, keyCount: head.keyCount)
    var index = 1
    while index <= head.keyCount {
      payload.value(try key(call, index, table: head.table))
      index += 1
    }
    try appendColumns(&shape, call, from: 1 + head.keyCount)
    call.setResult(blob: payload.bytes)
  }

  /// `dimple_pack_more`: the payload so far, column ids, columns.
  mutating func packMore(_ call: borrowing FunctionCall) throws {
    payload.removeAll()
    payload.append(call.view(0).bytes)
    var shape = ShapeCursor(call, argument: 1)
    try appendColumns(&shape, call, from: 2)
    call.setResult(blob: payload.bytes)
  }

  private mutating func appendColumns(_ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int)
    throws
  {
    var index = first
    while index < call.argumentCount {
      payload.varint(try shape.number())
      payload.value(call.view(index))
      index += 1
    }
    try shape.end()
  }

  // MARK: - Update

  /// `dimple_diff`: shape, old key, new key, old columns, new columns. The result is whether type or bytes of any differ:
  /// SQLite's `IS NOT` would miss 'abc' and 'ABC' under NOCASE, and 1 and 1.0.
  ///
  /// A rekey is two changes: it takes a time here, for its delete, and the log row's time is its insert's.
  mutating func diff(_ call: borrowing FunctionCall, clock: WallClock) throws {
    update = nil
    var shape = ShapeCursor(call, argument: 0)
    let head = try shape.head()
    let keyCount = head.keyCount
    var isRekey = false
    oldValues.removeAll()
    payload.removeAll()
    payload.head(.update, transaction: currentTransaction, table: head.table, keyCount: keyCount)
    var index = 1
    while index <= keyCount {
      let new = try key(call, keyCount + index, table: head.table)
      if !isRekey, !call.view(index).isIdentical(to: new) { isRekey = true }
      payload.value(new)
      index += 1
    }
    if isRekey { try beginRekey(call, table: head.table, keyCount: keyCount, milliseconds: clock.milliseconds()) }
    update = PackedUpdate(isRekey: isRekey, isDifferent: isRekey, keepsOldValues: head.keepsOldValues)
    try diffColumns(&shape, call, from: 1 + 2 * keyCount)
    call.setResult(int64: update?.isDifferent == true ? 1 : 0)
  }

  /// Once more, with both keys.
  private mutating func beginRekey(
    _ call: borrowing FunctionCall, table: Int64, keyCount: Int, milliseconds: Int64
  ) throws {
    _ = try tick(milliseconds: milliseconds)
    payload.removeAll()
    payload.head(.rekey, transaction: currentTransaction, table: table, keyCount: keyCount)
    for index in 1...keyCount { payload.value(call.view(keyCount + index)) }
    for index in 1...keyCount { payload.value(call.view(index)) }
  }

  /// `dimple_diff_more`: the result so far, column ids, old columns, new columns.
  mutating func diffMore(_ call: borrowing FunctionCall) throws {
    var shape = ShapeCursor(call, argument: 1)
    try diffColumns(&shape, call, from: 2)
    call.setResult(int64: update?.isDifferent == true ? 1 : 0)
  }

  private mutating func diffColumns(_ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int) throws
  {
    guard var update else { throw ShapeCursor.mismatch("a continued comparison without a beginning") }
    let count = (call.argumentCount - first) / 2
    var index = first
    while index < first + count {
      defer { index += 1 }
      let column = try shape.number()
      let new = call.view(index + count)
      // The insert half of a rekey says every column.
      if !update.isRekey, call.view(index).isIdentical(to: new) { continue }
      update.isDifferent = true
      payload.varint(column)
      payload.value(new)
      if update.isRekey, update.keepsOldValues {
        oldValues.varint(column)
        oldValues.value(call.view(index))
      }
    }
    try shape.end()
    self.update = update
  }

  /// `dimple_payload`: what the comparison packed.
  mutating func takeUpdate(_ call: borrowing FunctionCall) throws {
    guard update != nil else { throw ShapeCursor.mismatch("an update that was not compared") }
    update = nil
    if oldValues.count > 0 {
      payload.byte(0)
      payload.append(oldValues.bytes)
    }
    call.setResult(blob: payload.bytes)
  }

  // MARK: - Keys

  private func key(_ call: borrowing FunctionCall, _ index: Int, table: Int64) throws -> FunctionArgument {
    let argument = call.view(index)
    if argument.type == .null { throw NullKey(table: table) }
    return argument
  }
}

/// A row whose primary key has `NULL` was written to the table of that id.
struct NullKey: Error {
  var table: Int64
}
