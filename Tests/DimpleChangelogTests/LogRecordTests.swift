import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("The payload of a log row")
struct LogRecordTests {
  static let values: [SQLValue] = [
    .null, .integer(0), .integer(1), .integer(-1), .integer(127), .integer(128), .integer(-128), .integer(-129),
    .integer(1 << 53 + 1), .integer(.max), .integer(.min), .real(0), .real(-0.0), .real(1),
    .real(.leastNonzeroMagnitude),
    .real(.infinity), .real(-.infinity), .real(0.1 + 0.2), .real(.greatestFiniteMagnitude), .text(""), .text("a"),
    .text("nul\0inside"), .text("e\u{301}"), .text("\u{E9}"), .text("🎈"), .text("007"),
    .text("01931f3a-7c4e-7abc-8000-000000000005"), .text("01931F3A-7C4E-7ABC-8000-000000000005"),
    .text("01931F3a-7C4E-7ABC-8000-000000000005"), .text("00000000-0000-0000-0000-000000000000"),
    .text("01931f3a-7c4e-7abc-8000-00000000000g"), .blob([]), .blob([0]), .blob(Array(0...255)),
    .invalidText([0xFF]), .invalidText([0x61, 0xC3]), .text(String(repeating: "long ", count: 1000)),
  ]

  @Test("Every kind of value comes back to the bit", arguments: values)
  func valueRoundTrips(_ value: SQLValue) throws {
    let record = LogRecord(
      operation: .update, transaction: 1, table: 1, key: [value], cells: [.init(column: 1, value: value)])
    #expect(try LogRecord(payload: record.payload) == record)
  }

  @Test("What is unpacked is what was packed, for random records")
  func randomRecordsRoundTrip() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<2000 {
      let record = Self.record(&random)
      #expect(try LogRecord(payload: record.payload) == record, "seed \(seed)")
      let summary = try LogRun.summary(of: record.payload, at: 7)
      #expect(summary.transaction == record.transaction && summary.last == 7, "seed \(seed)")
    }
  }

  @Test("Damaged bytes end in an error or a value, never in a trap")
  func decoderIsTotal() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var failures = 0
    for _ in 0..<5000 {
      var payload = Self.record(&random).payload
      switch random.below(3) {
      case 0: payload[random.below(payload.count)] = UInt8(random.below(256))
      case 1: payload.removeLast(1 + random.below(payload.count))
      default: payload = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
      }
      do { _ = try LogRecord(payload: payload) } catch {
        failures += 1
        #expect(error is DamagedBytes, "seed \(seed)")
      }
    }
    #expect(failures > 1000, "seed \(seed)")
  }

  @Test(
    "Payloads that no writer makes are refused",
    arguments: [
      [], [0x08], [0x0D, 1, 1, 0], [0x01, 1, 1], [0x09, 0, 1, 0], [0x09, 1, 0, 0], [0x09, 0x81, 0x00, 1, 0],
      [0x09, 1, 1, 13], [0x09, 1, 1, 17 + 2], [0x09, 1, 1, 0, 0, 1, 0], [0x0C, 1, 1, 0, 0, 0],
      [0x09, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1, 0],
      [0x09, 1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
    ] as [[UInt8]])
  func impossiblePayloads(_ payload: [UInt8]) {
    #expect(throws: DamagedBytes.self) { try LogRecord(payload: payload) }
  }

  @Test("The bytes of format 1 stay what they are")
  func goldenBytes() throws {
    let golden: [(LogRecord, String)] = [
      (
        LogRecord(
          operation: .insert, transaction: 300, table: 2, key: [.text("01931f3a-7c4e-7abc-8000-000000000005")],
          cells: [
            .init(column: 1, value: .text("Build")), .init(column: 2, value: .integer(0)),
            .init(column: 3, value: .null), .init(column: 4, value: .real(-0.0)),
          ]),
        "09ac02020b01931f3a7c4e7abc8000000000000005011b4275696c640202030004018000000000000000"
      ),
      (
        LogRecord(
          operation: .update, transaction: 1, table: 1, key: [.integer(-2), .integer(256)],
          cells: [.init(column: 200, value: .blob([1, 2]))]),
        "12010103fe040100c801140102"
      ),
      (
        LogRecord(operation: .delete, transaction: 128, table: 1, key: [.invalidText([0xFF])]),
        "0b80010113ff"
      ),
      (
        LogRecord(
          operation: .rekey, transaction: 1, table: 1, key: [.integer(2)], oldKey: [.integer(1)],
          cells: [.init(column: 1, value: .text(""))], oldCells: [.init(column: 1, value: .blob([]))]),
        "0c0101030203010111000110"
      ),
    ]
    for (record, hex) in golden {
      #expect(record.payload.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hex)
      #expect(try LogRecord(payload: record.payload) == record)
    }
  }

  static func record(_ random: inout SeededRandom) -> LogRecord {
    func value() -> SQLValue {
      switch random.below(4) {
      case 0: return .integer(Int64(bitPattern: random.next() >> UInt64(random.below(64))))
      case 1:
        let double = Double(bitPattern: random.next())
        return .real(double.isNaN ? 0 : double)
      default: return random.pick(values) ?? .null
      }
    }
    func cells() -> [LogRecord.Cell] {
      (0..<random.below(5)).map { _ in .init(column: Int64(1 + random.below(1000)), value: value()) }
    }
    let operation = random.pick([LogRecord.Operation.insert, .update, .delete, .rekey]) ?? .insert
    let keyCount = 1 + random.below(random.oneIn(10) ? LogRecord.maximumKeyColumns : 3)
    return LogRecord(
      operation: operation, transaction: Int64(1 + random.next() >> 8), table: Int64(1 + random.below(300)),
      key: (0..<keyCount).map { _ in value() },
      oldKey: operation == .rekey ? (0..<keyCount).map { _ in value() } : [], cells: cells(),
      oldCells: operation == .rekey ? cells() : [])
  }
}
