import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// docs/CHANGELOG_FORMAT.md, "What merges did". Over real merges it is tested with sync: `MergedHistoryTests`.
@Suite("The record of merges")
struct MergeRecordTests {
  private static let schema = "CREATE TABLE A(id INTEGER PRIMARY KEY, x, y)"
  private static let theirs = ReplicaID(rawValue: 5)

  private func stamp(_ t: TrackedDatabase) -> Stamp {
    Stamp(time: HybridTime(milliseconds: t.clock.milliseconds), replica: Self.theirs)
  }

  private func tracked(keepsValues: Bool) throws -> TrackedDatabase {
    let t = try TrackedDatabase(Self.schema, keepsMergedValues: keepsValues)
    try t.script("INSERT INTO A VALUES (1, 'mine', 1)")
    return t
  }

  /// As a merge does it.
  private func merge(
    _ t: TrackedDatabase, _ operation: Change.Operation, key: Int64, _ columns: [(String, SQLValue)],
    isFirst: Bool = true
  ) throws {
    t.clock.advance(milliseconds: 1000)
    try t.database.withMergeTransaction { connection in
      switch operation {
      case .insert: try connection.execute("INSERT INTO A VALUES (\(key), \(columns[0].1), \(columns[1].1))")
      case .update:
        try connection.execute("UPDATE A SET \(identifier: columns[0].0) = \(columns[0].1) WHERE id = \(key)")
      case .delete: try connection.execute("DELETE FROM A WHERE id = \(key)")
      }
      let recorder = try t.changelog.mergeRecorder(connection, isFirst: isFirst)
      try recorder.record(
        operation, table: "A", key: [.integer(key)], columns: columns.map { ColumnValue(name: $0.0, value: $0.1) },
        at: stamp(t))
      try recorder.finish()
    }
  }

  private func past(_ t: TrackedDatabase, _ moment: PastMoment) throws -> [String] {
    try t.database.asOf(moment).rows("SELECT id, x, y FROM A ORDER BY id").map { row in
      row.columnNames.indices.map { describe(row[$0]) }.joined(separator: " ")
    }
  }

  @Test func goldenBytes() throws {
    // Column 2 (the key's is 1), with a text of three bytes, or without.
    for (keeps, cell) in [(true, "05" + "17" + "74776F"), (false, "04")] {
      let t = try tracked(keepsValues: keeps)
      try merge(t, .update, key: 1, [("x", .text("two"))])
      let rows = try t.database.rows("SELECT id, position, time, hex(payload) FROM dimple_merge")
      let row = try #require(rows.first)
      #expect(rows.count == 1 && row[0] == .integer(1) && row[1] == .integer(1))
      #expect(row[2] == .integer(t.clock.milliseconds << 12))
      // Version, replicas; operation and key count, table, key, time, replica's place, cells.
      let time = varint(UInt64(t.clock.milliseconds << 12))
      #expect(
        row[3] == .text("01" + "01" + "05" + "0A" + "01" + "0301" + time + "00" + "01" + cell), "\(row[3])")
    }
  }

  private func varint(_ value: UInt64) -> String {
    var rest = value
    var text = ""
    repeat {
      let byte = UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0)
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      rest >>= 7
    } while rest > 0
    return text
  }

  @Test func mergesStandBetweenTransactions() throws {
    let t = try tracked(keepsValues: true)
    try merge(t, .insert, key: 2, [("x", .text("theirs")), ("y", .null)])
    try merge(t, .update, key: 1, [("x", .text("changed"))], isFirst: false)
    t.clock.advance(milliseconds: 1000)
    try t.script("UPDATE A SET x = 'mine again'")
    try merge(t, .delete, key: 1, [], isFirst: false)
    let start = HybridTime(milliseconds: 1_800_000_000_000).milliseconds
    func at(_ seconds: Int64) -> PastMoment { .time(HybridTime(milliseconds: start + seconds * 1000, counter: 0xFFF)) }
    #expect(try past(t, at(0)) == ["1 'mine' 1"])
    #expect(try past(t, .transaction(1)) == ["1 'mine' 1"])
    #expect(try past(t, at(1)) == ["1 'mine' 1", "2 'theirs' NULL"])
    #expect(try past(t, at(2)) == ["1 'changed' 1", "2 'theirs' NULL"])
    #expect(try past(t, at(3)) == ["1 'mine again' 1", "2 'mine again' NULL"])
    #expect(try past(t, .transaction(2)) == ["1 'mine again' 1", "2 'mine again' NULL"])
    #expect(try past(t, at(4)) == ["2 'mine again' NULL"])
    let versions = try t.changelog.history(of: "A", key: [1]).versions
    #expect(versions.map(\.transaction) == [1, nil, 2, nil])
    #expect(try versions.map(\.author) == [t.changelog.replicaID, Self.theirs, t.changelog.replicaID, Self.theirs])
    #expect(try t.changelog.statistics().mergeBytes > 0)
  }

  @Test func aRolledBackMergeLeavesNone() throws {
    let t = try tracked(keepsValues: true)
    #expect(throws: Stop.self) {
      try t.database.withMergeTransaction { connection in
        let recorder = try t.changelog.mergeRecorder(connection, isFirst: true)
        try recorder.record(.delete, table: "A", key: [.integer(1)], columns: [], at: stamp(t))
        try recorder.finish()
        throw Stop()
      }
    }
    #expect(try t.changelog.history(of: "A", key: [1]).versions.count == 1)
    try t.script("UPDATE A SET x = 'b'")
    #expect(try past(t, .transaction(1)) == ["1 'mine' 1"])
  }

  @Test func aLargeMergeIsSeveralRows() throws {
    let t = try tracked(keepsValues: true)
    try t.database.withMergeTransaction { connection in
      let recorder = try t.changelog.mergeRecorder(connection, isFirst: true)
      for id in 10..<1010 as Range<Int64> {
        let text = SQLValue.text(String(repeating: "x", count: 300))
        try connection.execute("INSERT INTO A VALUES (\(id), \(text), NULL)")
        try recorder.record(
          .insert, table: "A", key: [.integer(id)],
          columns: [.init(name: "x", value: text), .init(name: "y", value: .null)],
          at: stamp(t))
      }
      try recorder.finish()
    }
    #expect(try t.rows("SELECT count(*) > 3 AND count(*) < 10 FROM dimple_merge") == ["1"])
    try t.script("DELETE FROM A WHERE id > 1")
    #expect(try past(t, .transaction(1)) == ["1 'mine' 1"])
    #expect(try t.database.asOf(.change(t.changes()[1].stamp)).rows("SELECT * FROM A").count == 1000)
  }

  /// Nothing before a gap may be believed.
  @Test func removedRowsAreAGap() throws {
    let t = try tracked(keepsValues: true)
    try merge(t, .update, key: 1, [("x", .text("theirs"))])
    try merge(t, .update, key: 1, [("y", .integer(2))], isFirst: false)
    try t.script("UPDATE A SET y = 3")
    try t.script("UPDATE A SET x = 'mine again'")
    try t.database.write { connection in
      try connection.withInternalAccess { _ = try connection.execute("DELETE FROM dimple_merge WHERE id = 1") }
    }
    #expect(try t.changelog.history(of: "A", key: [1]).isComplete == false)
    #expect(try past(t, .transaction(3)) == ["1 'mine again' 3"])
    for number in [0, 1, 2] as [Int64] {
      let error = #expect(throws: ChangelogError.self) { try past(t, .transaction(number)) }
      #expect(error?.code == .foreignHistoryUnknown)
    }
  }

  @Test func damagedBytesAreATypedError() throws {
    let t = try tracked(keepsValues: true)
    try merge(t, .insert, key: 2, [("x", .text("theirs")), ("y", .real(1.5))])
    guard case .blob(let payload) = try t.database.rows("SELECT payload FROM dimple_merge").first?[0] else {
      Issue.record("no payload")
      return
    }
    for seed in 1...200 as ClosedRange<UInt64> {
      var random = SeededRandom(seed: seed)
      var bytes = Array(payload.prefix(1 + random.below(payload.count)))
      for _ in 0..<random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      try t.database.write { connection in
        try connection.withInternalAccess {
          _ = try connection.execute("UPDATE dimple_merge SET payload = \(bytes)")
        }
      }
      // Some damage is another value.
      do { _ = try t.changelog.history(of: "A", key: [2]) } catch let error as ChangelogError {
        #expect(error.code == .damagedLog || error.code == .newerFormat, "seed \(seed): \(error)")
      }
    }
    let newer = [2] + payload.dropFirst()
    try t.database.write { connection in
      try connection.withInternalAccess { _ = try connection.execute("UPDATE dimple_merge SET payload = \(newer)") }
    }
    let error = #expect(throws: ChangelogError.self) { try t.changelog.history(of: "A", key: [2]) }
    #expect(error?.code == .newerFormat)
  }
}
