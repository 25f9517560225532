import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleChangelog

@Suite("The changes of a transaction that are not in the log yet")
struct TransactionBufferTests {
  private let clock = WallClock { 1000 }

  @Test("A change alone is written as it is by itself, several as a run")
  func rows() throws {
    var buffer = TransactionBuffer()
    #expect(buffer.isEmpty)
    let record = LogRecord(
      operation: .update, transaction: 9, table: 300, key: [.integer(1)], cells: [.init(column: 1, value: .text("x"))])
    try buffer.append(record, clock)
    let start = HybridClock.time(ofMilliseconds: 1000)
    #expect(buffer.row(transaction: 9) == Row(hlc: start.rawValue, payload: record.payload))
    // Reading the row leaves it as it is.
    #expect(buffer.row(transaction: 1 << 40)?.payload.count == record.payload.count + 5)
    #expect(buffer.row(transaction: 9) == Row(hlc: start.rawValue, payload: record.payload))
    try buffer.append(record, clock)
    let row = try #require(buffer.row(transaction: 9))
    let entries = [0, 1].map { LogRun.Entry(time: HybridTime(rawValue: start.rawValue + $0), record: record) }
    #expect(row == LogRun.rows(of: entries).first.map { Row(hlc: $0.hlc, payload: $0.payload) })
    buffer.didWrite()
    #expect(buffer.isEmpty && buffer.hasWritten && buffer.clock.last == entries.last?.time)
    buffer.removeAll()
    #expect(!buffer.hasWritten && buffer.clock.last == entries.last?.time)
  }

  @Test("A change that is cancelled leaves nothing, also of its table")
  func cancelled() throws {
    var buffer = TransactionBuffer()
    let record = LogRecord(operation: .delete, transaction: 1, table: 2, key: [.integer(1)])
    try buffer.append(record, clock)
    let row = buffer.row(transaction: 1)
    buffer.begin(.update, table: 3, keyCount: 2)
    buffer.cancel()
    #expect(buffer.row(transaction: 1) == row)
    buffer.begin(.insert, table: 3, keyCount: 1)
    #expect(buffer.row(transaction: 1) == row)
    try buffer.append(record, clock)
    #expect(try buffer.entries(transaction: 1).map(\.record) == [record, record])
  }

  @Test("It is full beyond 64 KiB")
  func full() throws {
    var buffer = TransactionBuffer()
    for number in 0..<70 {
      #expect(!buffer.isFull)
      try buffer.append(
        LogRecord(
          operation: .insert, transaction: 1, table: 1, key: [.integer(Int64(number))],
          cells: [.init(column: 1, value: .blob([UInt8](repeating: 1, count: 1000)))]), clock)
      if buffer.isFull { return #expect(number == 65) }
    }
    Issue.record("never full")
  }

  @Test("The clock cannot pass its last time")
  func exhausted() throws {
    var buffer = TransactionBuffer()
    buffer.clock = HybridClock(last: HybridTime(rawValue: HybridTime.maximum.rawValue - 1))
    let record = LogRecord(operation: .delete, transaction: 1, table: 2, key: [.integer(1)])
    try buffer.append(record, clock)
    #expect(throws: ChangelogError.self) { try buffer.append(record, clock) }
    #expect(try buffer.entries(transaction: 1).map(\.record) == [record])
  }

  @Test("Log and buffer together are what was done and not undone, whenever it is written")
  func followsTheDatabase() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    for number in 0..<300 {
      var model = Model(random: SeededRandom(seed: seed &+ UInt64(number)))
      for _ in 0..<60 { try model.step() }
      #expect(try model.seen() == model.expected, "seed \(seed &+ UInt64(number))")
    }
  }

  /// The database is a list of rows, which goes back where a statement or a savepoint does.
  private struct Model {
    var random: SeededRandom
    var buffer = TransactionBuffer()
    var rows: [Row] = []
    var expected: [LogRecord] = []
    var savepoints: [(rows: [Row], expected: [LogRecord])] = []
    var number: UInt64 = 0
    var milliseconds: Int64 = 1000

    mutating func step() throws {
      switch random.below(8) {
      case 0:
        buffer.beginSavepoint()
        savepoints.append((rows, expected))
      case 1, 2:
        guard let start = savepoints.popLast() else { return }
        let isUndone = random.oneIn(2)
        buffer.endSavepoint(isUndone: isUndone)
        if isUndone { (rows, expected) = start }
      case 3:
        buffer.endStatement()
        write()
      default: try statement()
      }
      if random.oneIn(20) { milliseconds += 1 }
    }

    private mutating func statement() throws {
      let start = (rows: rows, expected: expected)
      number += 1
      buffer.beginStatement(number)
      for _ in 0..<random.below(4) {
        var record = LogRecordTests.record(&random)
        record.transaction = 1
        if random.oneIn(2) { record.table = 1 }
        let now = milliseconds
        try buffer.append(record, WallClock { now })
        expected.append(record)
        if random.oneIn(4) { write() }
      }
      switch random.below(4) {
      case 0:
        buffer.undoStatement()
        (rows, expected) = start
      case 1: buffer.endStatement()
      default: break
      }
    }

    private mutating func write() {
      guard let row = buffer.row(transaction: 1) else { return }
      rows.append(row)
      buffer.didWrite()
    }

    /// In the order of the times, which ascend.
    func seen() throws -> [LogRecord] {
      let all = (rows + [buffer.row(transaction: 1)].compactMap { $0 }).sorted { $0.hlc < $1.hlc }
      let entries = try all.flatMap { try LogRun.entries(of: $0.payload, at: $0.hlc) }
      #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.time < $1.time })
      #expect(buffer.clock.last.rawValue >= entries.last?.time.rawValue ?? 0)
      return entries.map(\.record)
    }
  }
}

private struct Row: Equatable {
  var hlc: Int64
  var payload: [UInt8]
}

extension TransactionBuffer {
  fileprivate func row(transaction: Int64) -> Row? {
    var buffer = self
    return isEmpty ? nil : buffer.withRow(transaction: transaction) { Row(hlc: $0.rawValue, payload: Array($1)) }
  }

  fileprivate func entries(transaction: Int64) throws -> [LogRun.Entry] {
    try row(transaction: transaction).map { try LogRun.entries(of: $0.payload, at: $0.hlc) } ?? []
  }
}
