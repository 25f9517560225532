/// What the running transaction changed and the log does not have yet: one run of changes, and how far it was at each point
/// to which the database may go back. Pure: it says what a row of the log holds, and writes none.
///
/// A change is begun, its values are appended to ``bytes``, and it is ended or cancelled.
struct TransactionBuffer {
  /// Beyond so many bytes, the run is to be written.
  static let limit = 1 << 16

  private struct Position {
    var clock: HybridClock
    /// The first change's time.
    var start = HybridTime(rawValue: 0)
    /// How many times its changes have taken.
    var ticks: Int64 = 0
    var byteCount = 0
    var table: Int64 = 0
    var keyCount = 0
  }

  private struct Mark {
    var position: Position
    /// The run up to there, once it was written: the database may lose that row.
    private(set) var saved: [UInt8]?

    init(_ position: Position) { self.position = position }

    mutating func save(_ run: UnsafeRawBufferPointer) {
      if saved == nil, position.byteCount > 0 { saved = Array(run.prefix(position.byteCount)) }
    }
  }

  /// The changes; after them the one that is being packed.
  var bytes = PayloadBuffer()
  private var position = Position(clock: HybridClock())
  /// The table and number of key columns of the change that is being packed.
  private var open: (table: Int64, keyCount: Int) = (0, 0)
  private var savepoints: [Mark] = []
  private var statement: Mark?
  /// The statement that made the last change; none has the number 0.
  private(set) var statementNumber: UInt64 = 0
  /// The time of the row that the statement wrote so that it can be told afterwards whether it was undone.
  private(set) var witness: HybridTime?
  /// The transaction has written to the log.
  private(set) var hasWritten = false

  /// The clock, set back with what is undone.
  var clock: HybridClock {
    get { position.clock }
    set { position.clock = newValue }
  }

  /// The time of the row to be written.
  var start: HybridTime { position.start }
  /// There is nothing to be written.
  var isEmpty: Bool { position.ticks == 0 }
  /// It is time to write.
  var isFull: Bool { position.byteCount >= Self.limit }

  /// Forgets everything but the clock.
  mutating func removeAll() {
    bytes.removeAll(keeping: 2 * Self.limit)
    position = Position(clock: position.clock)
    savepoints.removeAll(keepingCapacity: true)
    endStatement()
    statementNumber = 0
    hasWritten = false
  }

  // MARK: - Changes

  /// Begins a change; what was left open is forgotten.
  mutating func begin(_ operation: LogRecord.Operation, table: Int64, keyCount: Int) {
    bytes.truncate(to: position.byteCount)
    open = (table, keyCount)
    if table == position.table, keyCount == position.keyCount { return bytes.byte(operation.rawValue) }
    bytes.byte(operation.rawValue | UInt8(truncatingIfNeeded: keyCount) << 3)
    bytes.varint(UInt64(bitPattern: table))
  }

  /// Takes back what was begun.
  mutating func cancel() { bytes.truncate(to: position.byteCount) }

  /// Ends a change, of which the cells are ended already, and gives it its time; a rekey gets two.
  ///
  /// - Parameter clock: Asked for the first change of a run.
  /// - Throws: ``ChangelogError`` `.clockExhausted`.
  mutating func end(ticks: Int64 = 1, _ clock: WallClock) throws {
    if position.ticks == 0 {
      position.start = try position.clock.tick(milliseconds: clock.milliseconds())
      if ticks > 1 { try position.clock.advance(by: ticks - 1) }
    } else {
      try position.clock.advance(by: ticks)
    }
    position.ticks += ticks
    position.byteCount = bytes.count
    (position.table, position.keyCount) = open
  }

  /// Adds a change that no trigger packed.
  mutating func append(_ record: LogRecord, _ clock: WallClock) throws {
    begin(record.operation, table: record.table, keyCount: record.key.count)
    var writer = ByteWriter()
    writer.body(of: record)
    writer.bytes.withUnsafeBytes { bytes.append($0) }
    try end(ticks: record.operation == .rekey ? 2 : 1, clock)
  }

  // MARK: - Going back

  /// A statement is about to make its first change.
  mutating func beginStatement(_ number: UInt64) {
    statement = Mark(position)
    statementNumber = number
    witness = nil
  }

  /// Notes that the row just written is there as long as what the statement did is.
  mutating func setWitness(_ time: HybridTime) { witness = time }

  /// Takes back what the statement changed.
  mutating func undoStatement() {
    if let statement { restore(statement) }
    endStatement()
  }

  /// What the statement changed stays.
  mutating func endStatement() {
    statement = nil
    witness = nil
  }

  mutating func beginSavepoint() {
    endStatement()
    savepoints.append(Mark(position))
  }

  /// - Parameter isUndone: Whether what was changed since its beginning is undone.
  mutating func endSavepoint(isUndone: Bool) {
    endStatement()
    guard let mark = savepoints.popLast(), isUndone else { return }
    restore(mark)
  }

  private mutating func restore(_ mark: Mark) {
    if let saved = mark.saved {
      bytes.removeAll()
      saved.withUnsafeBytes { bytes.append($0) }
    } else {
      bytes.truncate(to: mark.position.byteCount)
    }
    position = mark.position
  }

  // MARK: - Writing

  /// Calls `body` with the time and the payload of the row that holds the run.
  mutating func withRow<T>(
    transaction: Int64, _ body: (HybridTime, UnsafeRawBufferPointer) throws -> T
  ) rethrows -> T {
    cancel()
    var head = ByteWriter()
    // A single change that is no rekey takes the form that it has by itself: the transaction after its first byte, and no
    // end of its cells.
    if position.ticks == 1, let first = bytes.bytes.first {
      head.byte(first)
      head.varint(UInt64(bitPattern: transaction))
      return try bytes.withHead(head.bytes, replacing: 1) { try body(position.start, .init(rebasing: $0.dropLast())) }
    }
    head.byte(LogRun.head)
    head.varint(UInt64(bitPattern: transaction))
    head.varint(UInt64(bitPattern: position.ticks - 1))
    return try bytes.withHead(head.bytes, replacing: 0) { try body(position.start, $0) }
  }

  /// The row was written: the next change begins another run.
  mutating func didWrite() {
    hasWritten = true
    for index in savepoints.indices { savepoints[index].save(bytes.bytes) }
    statement?.save(bytes.bytes)
    bytes.removeAll(keeping: 2 * Self.limit)
    position = Position(clock: position.clock)
  }
}
