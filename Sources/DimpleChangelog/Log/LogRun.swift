/// One row of the log: a change, or a run of changes of one transaction, each at the time after the one before.
package enum LogRun {
  /// What the payload of a run begins with; a change begins with a number of key columns in the high five bits.
  static let head: UInt8 = 5

  /// A change, and when it was made: a rekey at the second of its two times.
  package struct Entry: Sendable, Hashable {
    package var time: HybridTime
    package var record: LogRecord

    package init(time: HybridTime, record: LogRecord) {
      self.time = time
      self.record = record
    }

    /// The first of its times, and the one after its last.
    fileprivate var start: Int64 { time.rawValue - (record.operation == .rekey ? 1 : 0) }
    fileprivate var end: Int64 { time.rawValue + 1 }
  }

  /// What the log needs to go on from a row, or to find its place in it: the row's transaction and its last time.
  package static func summary(of payload: [UInt8], at hlc: Int64) throws -> (transaction: Int64, last: Int64) {
    var reader = ByteReader(payload)
    let isRun = try reader.byte() == head
    let transaction = try reader.identifier()
    guard isRun else { return (transaction, hlc) }
    let (last, overflow) = hlc.addingReportingOverflow(try span(&reader))
    if overflow { throw reader.damage("a number is too large") }
    return (transaction, last)
  }

  /// The changes of a row of the log.
  package static func entries(of payload: [UInt8], at hlc: Int64) throws -> [Entry] {
    guard payload.first == head else {
      return [Entry(time: HybridTime(rawValue: hlc), record: try LogRecord(payload: payload))]
    }
    var reader = ByteReader(payload)
    _ = try reader.byte()
    let transaction = try reader.identifier()
    let (end, overflow) = hlc.addingReportingOverflow(try span(&reader) + 1)
    if overflow { throw reader.damage("a number is too large") }
    var entries: [Entry] = []
    var time = hlc
    while !reader.isAtEnd {
      let record = try LogRecord(&reader, after: entries.last?.record, transaction: transaction)
      if record.operation == .rekey { time += 1 }
      guard time < end else { throw reader.damage("more changes than times") }
      entries.append(Entry(time: HybridTime(rawValue: time), record: record))
      time += 1
    }
    guard time == end else { throw reader.damage("fewer changes than times") }
    return entries
  }

  /// How far the last time is from the first.
  private static func span(_ reader: inout ByteReader) throws -> Int64 {
    let span = Int64(exactly: try reader.varint())
    guard let span, span < .max else { throw reader.damage("a number is too large") }
    return span
  }

  /// The rows that hold these changes of one transaction, ascending in time: a new one after each gap.
  package static func rows(of entries: [Entry]) -> [(hlc: Int64, payload: [UInt8])] {
    var rows: [(hlc: Int64, payload: [UInt8])] = []
    var rest = entries[...]
    while let first = rest.first {
      var run: [Entry] = []
      while let next = rest.first, run.last.map({ $0.end == next.start }) ?? true {
        run.append(next)
        rest.removeFirst()
      }
      rows.append((hlc: run.count == 1 ? first.time.rawValue : first.start, payload: payload(of: run)))
    }
    return rows
  }

  private static func payload(of run: [Entry]) -> [UInt8] {
    guard let first = run.first, let last = run.last, run.count > 1 else { return run.first?.record.payload ?? [] }
    var writer = ByteWriter()
    writer.byte(head)
    writer.varint(UInt64(bitPattern: first.record.transaction))
    writer.varint(UInt64(bitPattern: last.time.rawValue - first.start))
    var before: LogRecord?
    for entry in run {
      writer.record(entry.record, after: before)
      before = entry.record
    }
    return writer.bytes
  }
}

extension LogRecord {
  /// Reads a change of a run: as a payload of its own, but for the transaction, the table where it is that of the change
  /// before, and the ends of its cells.
  fileprivate init(_ reader: inout ByteReader, after before: LogRecord?, transaction: Int64) throws {
    let head = try reader.byte()
    guard let operation = Operation(rawValue: head & 7) else { throw reader.damage("an unknown operation") }
    var keyCount = Int(head >> 3)
    var table: Int64
    if keyCount > 0 {
      table = try reader.identifier()
    } else if let before {
      (table, keyCount) = (before.table, before.key.count)
    } else {
      throw reader.damage("a change without a key")
    }
    self.init(operation: operation, transaction: transaction, table: table, key: [])
    for _ in 0..<keyCount { key.append(try reader.value()) }
    if operation == .rekey { for _ in 0..<keyCount { oldKey.append(try reader.value()) } }
    cells = try Self.cells(&reader)
    if operation == .rekey { oldCells = try Self.cells(&reader) }
  }

  private static func cells(_ reader: inout ByteReader) throws -> [Cell] {
    var cells: [Cell] = []
    while true {
      let column = try reader.varint()
      if column == 0 { return cells }
      guard let column = Int64(exactly: column) else { throw reader.damage("an identifier is out of range") }
      cells.append(Cell(column: column, value: try reader.value()))
    }
  }
}

extension ByteWriter {
  /// A change of a run.
  mutating func record(_ record: LogRecord, after before: LogRecord?) {
    let isSame = before?.table == record.table && before?.key.count == record.key.count
    byte(record.operation.rawValue | (isSame ? 0 : UInt8(record.key.count) << 3))
    if !isSame { varint(UInt64(bitPattern: record.table)) }
    body(of: record)
  }

  /// All of it that follows the table.
  mutating func body(of record: LogRecord) {
    for part in record.key + record.oldKey { value(part) }
    for cell in record.cells { self.cell(cell) }
    byte(0)
    guard record.operation == .rekey else { return }
    for cell in record.oldCells { self.cell(cell) }
    byte(0)
  }
}
