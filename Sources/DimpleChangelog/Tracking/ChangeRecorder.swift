internal import DimpleStore

/// What the triggers' functions do: pack each row's change into the ``TransactionBuffer``, which is written to the log before
/// the transaction commits, and earlier where it grows large or the log is about to be read.
final class ChangeRecorder: @unchecked Sendable {  // used by the thread that holds its writer connection, alone
  private let running: RunningStatement
  private let clock: WallClock
  // None of it is used inside a change to itself: the check at run time would be a good part of packing a row.
  @exclusivity(unchecked) private var buffer = TransactionBuffer()
  /// The number of the last committed transaction that changed anything.
  @exclusivity(unchecked) private var lastTransaction: Int64 = 0
  /// The clock as the running transaction found it: what it logs is later.
  @exclusivity(unchecked) private(set) var committedClock = HybridClock()
  @exclusivity(unchecked) private var isInTransaction = false
  /// A conflict in the schema's tables or triggers may end a statement and leave what it did: `FAIL`. And as of which
  /// version of the schema.
  @exclusivity(unchecked) private var schemaMayFail = false
  @exclusivity(unchecked) private var schemaVersion: Int64 = -1
  /// The update whose comparison has begun, and what it does.
  @exclusivity(unchecked) private var update: Update?
  @exclusivity(unchecked) private var oldValues = PayloadBuffer()

  private struct Update {
    var isRekey: Bool
    var isDifferent: Bool
    var keepsOldValues: Bool
  }

  init(_ running: RunningStatement, clock: WallClock) {
    self.running = running
    self.clock = clock
  }

  /// The running transaction's number.
  var currentTransaction: Int64 { lastTransaction + 1 }
  /// The time of the last change, or a later one that was received.
  var lastTime: HybridTime { buffer.clock.last }
  /// Whether the running transaction has written to the log.
  var hasWritten: Bool { buffer.hasWritten }

  // MARK: - Transactions

  /// Goes on where the file is.
  func resume(clock: HybridClock, lastTransaction: Int64) {
    buffer.clock = clock
    self.lastTransaction = lastTransaction
    committedClock = clock
  }

  func begin() {
    buffer.removeAll()
    committedClock = buffer.clock
    isInTransaction = true
    update = nil
  }

  /// - Parameter hasLogged: Whether the log has a row of it.
  func commit(hasLogged: Bool) {
    if hasLogged { lastTransaction += 1 }
    isInTransaction = false
  }

  func rollBack() {
    buffer.clock = committedClock
    buffer.removeAll()
    isInTransaction = false
  }

  /// The log's times were moved; taken back with the transaction.
  func setBack(to time: HybridTime) { buffer.clock = HybridClock(last: time) }

  /// Looks for `FAIL` in the schema with which a transaction begins.
  func look(at reader: SchemaReader, version: Int64) throws {
    if version == schemaVersion { return }
    schemaMayFail = try reader.mentionsFail()
    schemaVersion = version
  }

  /// The same after a change of the schema, which may be undone: what mentioned it may come back.
  func lookAgain(at reader: SchemaReader) throws {
    if !schemaMayFail { schemaMayFail = try reader.mentionsFail() }
    schemaVersion = -1
  }

  func beginSavepoint() { buffer.beginSavepoint() }

  func endSavepoint(isUndone: Bool) { buffer.endSavepoint(isUndone: isUndone) }

  /// Moves the clock past a time seen elsewhere. What was changed before is written.
  func receive(_ time: HybridTime, _ connection: Connection) throws {
    try flush(connection)
    try buffer.clock.receive(time)
  }

  /// Adds a change that no trigger packed.
  func append(_ record: LogRecord, _ connection: Connection) throws {
    buffer.endStatement()
    try buffer.append(record, clock)
    if buffer.isFull { try flush(connection) }
  }

  // MARK: - Writing

  /// Writes what is not in the log yet; between two statements.
  func flush(_ connection: Connection) throws {
    if buffer.isEmpty { return }
    buffer.endStatement()
    try write(connection)
  }

  private func write(_ connection: Connection) throws {
    try connection.withInternalAccess {
      let insert = try connection.prepare("INSERT INTO dimple_log(hlc, payload) VALUES (?, ?)")
      try buffer.withRow(transaction: currentTransaction) { time, payload in
        try insert.bind(int64: time.rawValue, at: 1)
        try insert.bind(bytes: payload, at: 2)
      }
      while try insert.step() {}
      insert.clearBindings()
    }
    buffer.didWrite()
  }

  /// A statement has failed: what it changed was undone with it, unless it ended by `FAIL`, where a row that it wrote is
  /// still there to tell.
  func statementDidFail(_ number: UInt64, _ connection: Connection) throws {
    guard number == buffer.statementNumber else { return }
    if let witness = buffer.witness, try connection.withInternalAccess({ try hasRow(at: witness, connection) }) {
      buffer.endStatement()
    } else {
      buffer.undoStatement()
    }
  }

  private func hasRow(at time: HybridTime, _ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_log WHERE hlc = ?")
    defer { statement.reset() }
    try statement.bind(int64: time.rawValue, at: 1)
    return try statement.step()
  }

  // MARK: - Packing

  /// Begins a change that a trigger has to tell.
  private func begin(_ operation: LogRecord.Operation, _ shape: ShapeCursor.Head) throws {
    guard isInTransaction else { throw ShapeCursor.mismatch("a write outside a write transaction") }
    if buffer.statementNumber != running.number { buffer.beginStatement(running.number) }
    buffer.begin(operation, table: shape.table, keyCount: shape.keyCount)
  }

  private func end(ticks: Int64, _ connection: Connection) throws {
    try buffer.end(ticks: ticks, clock)
    if buffer.isFull || running.mayFail || schemaMayFail { try writeInStatement(connection) }
  }

  private func writeInStatement(_ connection: Connection) throws {
    let needsWitness = buffer.witness == nil && (running.mayFail || schemaMayFail)
    guard buffer.isFull || needsWitness else { return }
    let time = buffer.start
    try write(connection)
    if needsWitness { buffer.setWitness(time) }
  }

  /// `dimple_insert`, `dimple_delete`: shape, key, columns.
  func pack(_ operation: LogRecord.Operation, _ call: borrowing FunctionCall, _ connection: Connection) throws {
    var shape = ShapeCursor(call, argument: 0)
    let head = try shape.head()
    try begin(operation, head)
    var index = 1
    while index <= head.keyCount {
      buffer.bytes.value(try key(call, index, table: head.table))
      index += 1
    }
    try packColumns(&shape, call, from: 1 + head.keyCount, isLast: !head.flags.contains(.hasMore), connection)
  }

  /// `dimple_more`: the result so far, column ids, columns.
  func packMore(_ call: borrowing FunctionCall, _ connection: Connection) throws {
    var shape = ShapeCursor(call, argument: 1)
    let isLast = !(try shape.flags().contains(.hasMore))
    try packColumns(&shape, call, from: 2, isLast: isLast, connection)
  }

  private func packColumns(
    _ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int, isLast: Bool, _ connection: Connection
  ) throws {
    var index = first
    while index < call.argumentCount {
      buffer.bytes.varint(try shape.number())
      buffer.bytes.value(call.view(index))
      index += 1
    }
    try shape.end()
    if isLast {
      buffer.bytes.byte(0)
      try end(ticks: 1, connection)
    }
    call.setResult(int64: 0)
  }

  // MARK: - Updates

  /// `dimple_update`: shape, old key, new key, old columns, new columns. Only what differs in type or bytes is kept: SQLite's
  /// `IS NOT` would miss 'abc' and 'ABC' under NOCASE, and 1 and 1.0.
  func packUpdate(_ call: borrowing FunctionCall, _ connection: Connection) throws {
    var shape = ShapeCursor(call, argument: 0)
    let head = try shape.head()
    let keyCount = head.keyCount
    try begin(.update, head)
    var isRekey = false
    var index = 1
    while index <= keyCount {
      let new = try key(call, keyCount + index, table: head.table)
      if !isRekey, !call.view(index).isIdentical(to: new) { isRekey = true }
      buffer.bytes.value(new)
      index += 1
    }
    if isRekey {
      // Once more, with both keys.
      buffer.begin(.rekey, table: head.table, keyCount: keyCount)
      for index in 1...keyCount { buffer.bytes.value(call.view(keyCount + index)) }
      for index in 1...keyCount { buffer.bytes.value(call.view(index)) }
      oldValues.truncate(to: 0)
    }
    update = Update(isRekey: isRekey, isDifferent: isRekey, keepsOldValues: head.flags.contains(.keepsOldValues))
    try compareColumns(&shape, call, from: 1 + 2 * keyCount, isLast: !head.flags.contains(.hasMore), connection)
  }

  /// `dimple_update_more`: the result so far, column ids, old columns, new columns.
  func packMoreUpdate(_ call: borrowing FunctionCall, _ connection: Connection) throws {
    var shape = ShapeCursor(call, argument: 1)
    let isLast = !(try shape.flags().contains(.hasMore))
    try compareColumns(&shape, call, from: 2, isLast: isLast, connection)
  }

  private func compareColumns(
    _ shape: inout ShapeCursor, _ call: borrowing FunctionCall, from first: Int, isLast: Bool, _ connection: Connection
  ) throws {
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
      buffer.bytes.varint(column)
      buffer.bytes.value(new)
      if update.isRekey, update.keepsOldValues {
        oldValues.varint(column)
        oldValues.value(call.view(index))
      }
    }
    try shape.end()
    self.update = isLast ? nil : update
    if isLast { try end(update, connection) }
    call.setResult(int64: 0)
  }

  private func end(_ update: Update, _ connection: Connection) throws {
    guard update.isDifferent else { return buffer.cancel() }
    buffer.bytes.byte(0)
    guard update.isRekey else { return try end(ticks: 1, connection) }
    buffer.bytes.append(oldValues.bytes)
    buffer.bytes.byte(0)
    try end(ticks: 2, connection)
  }

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
