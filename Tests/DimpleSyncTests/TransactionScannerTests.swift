import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// The two ways to read a transaction's line: what the fast one reads, the parser reads alike.
@Suite("Lines read straight into packed changes")
struct TransactionScannerTests {
  private static let lines = [
    #"{"number":7,"time":4096,"changes":[{"table":"T","op":"insert","key":[1],"columns":{"a":"x","b":null,"c":-0.5}}]}"#,
    #"{"number":7,"time":4096,"changes":[{"table":"T","op":"update","key":["ü","k"],"columns":{"b":123456789012345678}},"#
      + #"{"table":"T","op":"delete","ticks":7,"key":["00000000-0000-7000-8000-000000000001"]}]}"#,
    #"{"number":7,"time":0,"changes":[{"table":"T","op":"update","key":[1],"columns":{"a":1,"c":"\"quoted\""}},"#
      + #"{"table":"Other","op":"insert","key":[2.25],"columns":{"a":"","b":0,"d":[1]}}]}"#,
    #"{"number":7,"time":9,"changes":[{"table":"Other","op":"insert","key":["AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"],"#
      + #""columns":{"b":"日本語","a":1}},{"table":"T","op":"insert","key":[-9],"columns":{"c":1e3}}],"more":true}"#,
  ]

  private struct Read: Equatable {
    var table: Int64
    var time: Int64
    var key: [UInt8]
    var operation: ChangeBatch.Operation
    var cells: [[UInt8]]
  }

  private static func contents(of batch: ChangeBatch) -> [Read] {
    batch.tableIDs.sorted().flatMap { table in
      batch.sortedEntries(of: table).map { entry in
        Read(
          table: table, time: entry.time, key: [UInt8](batch.key(of: entry)), operation: entry.operation,
          cells: batch.cells(of: entry).map { cell in
            let value = batch.value(of: cell)
            return [UInt8(truncatingIfNeeded: cell.column)]
              + [UInt8](UnsafeRawBufferPointer(start: value.start, count: value.count))
          })
      }
    }
  }

  private static func parsed(_ line: [UInt8], _ session: MergeSession) throws -> [Read]? {
    var reader = TransactionReader(salts: [])
    guard let transaction = try? reader.read(line[...], number: 7) else { return nil }
    let batch = ChangeBatch()
    for change in transaction.changes {
      let table = try session.names.table(change.table, session.connection)
      batch.append(change, table: table, columns: try session.columns(of: change.columns, in: table), by: 1)
    }
    return contents(of: batch)
  }

  private func withSession(_ body: @escaping @Sendable (MergeSession) throws -> Void) async throws {
    let fleet = try Fleet(1, "CREATE TABLE T (id INTEGER PRIMARY KEY, a, b, c)")
    try await fleet.converge()
    let changelog = try #require(fleet[0].extension(Changelog.self))
    try await fleet[0].withMergeTransaction { connection in
      try body(MergeSession(MergeSchemaCache(rowsPerStatement: 2).load(connection, changelog).schema, connection))
    }
  }

  @Test func theUsualFormIsReadFast() async throws {
    try await withSession { session in
      var scanner = TransactionScanner(session)
      for line in Self.lines.prefix(2) {
        let batch = ChangeBatch()
        let scanned = try Array(line.utf8).withUnsafeBufferPointer {
          try scanner.scan($0, number: 7, by: 1, into: batch)
        }
        #expect(scanned != nil && scanned?.changes == batch.count)
        #expect(try Self.contents(of: batch) == Self.parsed(Array(line.utf8), session))
      }
    }
  }

  @Test func whatIsReadFastIsReadAlikeByTheParser() async throws {
    print("TransactionScannerTests: seed 61")
    try await withSession { session in
      var random = SeededRandom(seed: 61)
      var scanner = TransactionScanner(session)
      var fast = 0
      for _ in 0..<20_000 {
        let line = Self.mutated(Array(Self.lines[random.below(Self.lines.count)].utf8), &random)
        let batch = ChangeBatch()
        batch.append(
          PackChange(time: HybridTime(rawValue: 1), table: "T", key: [.integer(0)], operation: .insert, columns: []),
          table: 99, columns: [], by: 1)
        let mark = Self.contents(of: batch)
        let scanned = try line.withUnsafeBufferPointer { try scanner.scan($0, number: 7, by: 1, into: batch) }
        guard let scanned else {
          // As if it had not been looked at.
          #expect(Self.contents(of: batch) == mark && batch.count == 1)
          continue
        }
        fast += 1
        let parsed = try Self.parsed(line, session)
        #expect(
          Self.contents(of: batch).filter { $0.table != 99 } == parsed, "\(String(decoding: line, as: UTF8.self))")
        #expect(scanned.changes == parsed?.count && scanned.newest.rawValue == parsed?.map(\.time).max())
      }
      #expect(fast > 500)
    }
  }

  /// Few changes, so that many lines still make sense.
  private static func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    let tokens = [
      "0", "9", "-", ".5", "\"", "\\n", "a", "null", ",", "ü", "\u{FF}", "1e2", "99999999999999999999", "}", "]",
    ]
    var bytes = bytes
    for _ in 0..<random.below(3) {
      let position = random.below(bytes.count)
      switch random.below(4) {
      case 0: bytes[position] = UInt8(random.below(256))
      case 1: bytes.remove(at: position)
      case 2: bytes.insert(contentsOf: tokens[random.below(tokens.count)].utf8, at: position)
      default: bytes.replaceSubrange(position...position, with: tokens[random.below(tokens.count)].utf8)
      }
    }
    return bytes
  }
}
