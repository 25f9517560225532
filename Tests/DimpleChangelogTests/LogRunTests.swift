import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleChangelog

@Suite("A run of changes in one row of the log")
struct LogRunTests {
  @Test("The bytes of format 2 stay what they are")
  func goldenBytes() throws {
    let entries = [
      entry(100, .insert, table: 2, key: [.integer(1)], cells: [.init(column: 1, value: .text("a"))]),
      entry(101, .update, table: 2, key: [.integer(1)], cells: [.init(column: 200, value: .null)]),
      entry(
        103, .rekey, table: 2, key: [.integer(2)], oldKey: [.integer(1)], cells: [.init(column: 1, value: .real(1))]),
      entry(104, .delete, table: 3, key: [.blob([]), .integer(0)]),
    ]
    let rows = LogRun.rows(of: entries)
    #expect(rows.map(\.hlc) == [100])
    #expect(
      rows.map { hex($0.payload) } == [
        "05" + "ac02" + "04"  // a run of transaction 300, whose last time is 4 after its first
          + "0902" + "0301" + "011361" + "00"  // insert into table 2, a key of 1 column
          + "02" + "0301" + "c80100" + "00"  // update, the same table
          + "04" + "0302" + "0301" + "01013ff0000000000000" + "00" + "00"  // rekey, and no old values
          + "1303" + "1002" + "00"  // delete from table 3, a key of 2 columns
      ])
    #expect(try LogRun.entries(of: rows[0].payload, at: 100) == entries)
    #expect(try LogRun.summary(of: rows[0].payload, at: 100) == (300, 104))
  }

  @Test("What is unpacked is what was packed, in as few rows as the times allow")
  func roundTrip() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<500 {
      var time: Int64 = 1000
      var gaps = 0
      let entries = (0..<1 + random.below(8)).map { index -> LogRun.Entry in
        var record = LogRecordTests.record(&random)
        record.transaction = 5
        if random.oneIn(3) { record.table = 1 }
        if index > 0, random.oneIn(4) {
          time += Int64(1 + random.below(1000))
          gaps += 1
        }
        time += record.operation == .rekey ? 2 : 1
        return LogRun.Entry(time: HybridTime(rawValue: time), record: record)
      }
      let rows = LogRun.rows(of: entries)
      #expect(rows.count == gaps + 1, "seed \(seed)")
      #expect(try rows.flatMap { try LogRun.entries(of: $0.payload, at: $0.hlc) } == entries, "seed \(seed)")
      let last = try #require(rows.last)
      #expect(try LogRun.summary(of: last.payload, at: last.hlc) == (5, time), "seed \(seed)")
    }
    #expect(LogRun.rows(of: []).isEmpty)
  }

  @Test("Damaged bytes end in an error or a value, never in a trap")
  func decoderIsTotal() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var failures = 0
    for _ in 0..<5000 {
      let entries = (1...3).map { LogRun.Entry(time: HybridTime(rawValue: $0), record: LogRecordTests.record(&random)) }
      var payload = try #require(LogRun.rows(of: entries.map(insert)).first).payload
      switch random.below(3) {
      case 0: payload[random.below(payload.count)] = UInt8(random.below(256))
      case 1: payload.removeLast(1 + random.below(payload.count))
      default: payload = [5] + (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
      }
      do { _ = try LogRun.entries(of: payload, at: random.oneIn(2) ? 1 : .max - 1) } catch {
        failures += 1
        #expect(error is DamagedBytes, "seed \(seed)")
      }
      do { _ = try LogRun.summary(of: payload, at: .max) } catch { #expect(error is DamagedBytes, "seed \(seed)") }
    }
    #expect(failures > 1000, "seed \(seed)")
  }

  @Test(
    "Runs that no writer makes are refused",
    arguments: [
      [0x05], [0x05, 1], [0x05, 0, 0, 0x09, 1, 3, 1, 0], [0x05, 1, 1, 0x09, 1, 3, 1, 0], [0x05, 1, 0],
      [0x05, 1, 0, 0x01, 3, 1, 0], [0x05, 1, 0, 0x09, 1, 3, 1, 0, 0x02, 3, 1, 0], [0x05, 1, 0, 0x09, 1, 3, 1],
      [0x05, 1, 0, 0x0C, 1, 3, 1, 3, 2, 0, 0], [0x05, 1, 0, 0x0D, 1, 3, 1, 0],
      [0x05, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0x09, 1, 3, 1, 0],
    ] as [[UInt8]])
  func impossibleRuns(_ payload: [UInt8]) {
    #expect(throws: DamagedBytes.self) { try LogRun.entries(of: payload, at: 1) }
  }

  /// Of rekeys, which take two times, the insert alone.
  private func insert(_ entry: LogRun.Entry) -> LogRun.Entry {
    var entry = entry
    if entry.record.operation == .rekey {
      (entry.record.operation, entry.record.oldKey, entry.record.oldCells) = (.insert, [], [])
    }
    return entry
  }

  private func entry(
    _ time: Int64, _ operation: LogRecord.Operation, table: Int64, key: [SQLValue], oldKey: [SQLValue] = [],
    cells: [LogRecord.Cell] = []
  ) -> LogRun.Entry {
    LogRun.Entry(
      time: HybridTime(rawValue: time),
      record: LogRecord(operation: operation, transaction: 300, table: table, key: key, oldKey: oldKey, cells: cells))
  }

  private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
