internal import DimpleStore

/// What the triggers' functions share: the clock, the numbers, and the payload being packed. Lives under the lock of its
/// ``Changelog``; used by the one writer.
struct ChangeRecorder {
  var clock = HybridClock()
  /// The number of the last committed transaction that changed anything.
  var lastTransaction: Int64 = 0
  /// What to go back to if the running transaction is rolled back.
  var committedTime = HybridTime(rawValue: 0)
  /// The running transaction has logged a change, under `lastTransaction + 1`.
  var hasChanges = false
  private var payload = ByteWriter()
  /// The row at hand: an update without a difference is not logged, a changed key turns it into a rekey.
  private var isDifferent = false
  private var isRekey = false

  var currentTransaction: Int64 { lastTransaction + 1 }

  mutating func takePayload() -> [UInt8] { payload.bytes }

  // MARK: - Insert and delete

  mutating func record(_ operation: LogPayload.Operation, _ call: FunctionCall) throws {
    let shape = try Shape(call)
    begin(operation, shape)
    for index in 1...max(1, shape.keyCount) { payload.value(try key(call, index)) }
    appendColumns(call, ids: shape.columns, from: 1 + shape.keyCount)
  }

  /// Further columns of the row at hand.
  mutating func recordMore(_ call: FunctionCall) throws {
    appendColumns(call, ids: try Self.numbers(call), from: 1)
  }

  private mutating func appendColumns(_ call: FunctionCall, ids: [UInt64], from first: Int) {
    for (offset, id) in ids.enumerated() {
      payload.varint(id)
      payload.value(call.value(first + offset))
    }
  }

  // MARK: - Update

  /// Whether the row differs in type or bytes; SQLite's `IS NOT` would miss 'abc' and 'ABC' under NOCASE, and 1 and 1.0.
  mutating func recordUpdate(_ call: FunctionCall) throws -> Bool {
    let shape = try Shape(call)
    let oldKey = try (1...shape.keyCount).map { try key(call, $0) }
    let newKey = try (1...shape.keyCount).map { try key(call, shape.keyCount + $0) }
    isRekey = oldKey != newKey
    isDifferent = isRekey
    begin(isRekey ? .rekey : .update, shape)
    for value in isRekey ? oldKey + newKey : oldKey { payload.value(value) }
    recordPairs(call, ids: shape.columns, from: 1 + 2 * shape.keyCount)
    return isDifferent
  }

  mutating func recordMoreUpdate(_ call: FunctionCall) throws -> Bool {
    recordPairs(call, ids: try Self.numbers(call), from: 1)
    return isDifferent
  }

  private mutating func recordPairs(_ call: FunctionCall, ids: [UInt64], from first: Int) {
    for (offset, id) in ids.enumerated() {
      let new = call.value(first + 2 * offset + 1)
      // The insert half of a rekey says every column.
      if !isRekey, new == call.value(first + 2 * offset) { continue }
      isDifferent = true
      payload.varint(id)
      payload.value(new)
    }
  }

  // MARK: -

  mutating func tick(wall milliseconds: Int64) -> HybridTime {
    hasChanges = true
    // A rekey is two changes: the time just before its own is its delete's.
    if isRekey { _ = clock.tick(wall: milliseconds) }
    isRekey = false
    return clock.tick(wall: milliseconds)
  }

  private mutating func begin(_ operation: LogPayload.Operation, _ shape: Shape) {
    if operation != .rekey { isRekey = false }
    payload = ByteWriter()
    LogPayload.writeHead(
      operation, transaction: currentTransaction, table: shape.table, keyCount: shape.keyCount, to: &payload)
  }

  private func key(_ call: FunctionCall, _ index: Int) throws -> SQLValue {
    let value = call.value(index)
    guard value != .null else {
      throw ChangelogError(
        .nullKey, operation: "track a write", message: "A row has NULL in its primary key.",
        hint: "Give it a value, and declare the key NOT NULL.")
    }
    return value
  }

  private struct Shape {
    var table: Int64
    var keyCount: Int
    var columns: [UInt64]

    init(_ call: FunctionCall) throws {
      let numbers = try ChangeRecorder.numbers(call)
      guard numbers.count >= 2, numbers[1] >= 1 else { throw DamagedBytes() }
      table = Int64(numbers[0])
      keyCount = Int(numbers[1])
      columns = Array(numbers[2...])
    }
  }

  private static func numbers(_ call: FunctionCall) throws -> [UInt64] {
    var reader = ByteReader(call.withBytes(0) { Array($0) })
    var numbers: [UInt64] = []
    while !reader.isAtEnd { numbers.append(try reader.varint()) }
    return numbers
  }
}
