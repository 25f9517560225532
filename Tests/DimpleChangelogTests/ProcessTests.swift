import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// `DIMPLE_POWER_CUTS` and `DIMPLE_POWER_CUT_SEED` as in the store's tests: how often, and from which seed on.
@Suite("Other processes", .timeLimit(.minutes(60)))
struct ProcessTests {
  private static func setting(_ name: String, _ fallback: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? fallback
  }

  /// What the log says of every row, against the tables; and that numbers and times ascend without gaps or repetition.
  private func check(_ t: TrackedDatabase, from first: Int64 = 1, _ comment: Comment) throws {
    let changes = try t.changes()
    let numbers = changes.map(\.transaction)
    let last = try t.lastTransaction
    #expect(numbers == numbers.sorted() && Set(numbers) == Set(first..<(last + 1)), comment)
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp.time < $1.stamp.time }, comment)
    #expect(Set(changes.map(\.stamp.replica)).count <= 1, comment)
    #expect(try t.database.integrityCheck() == [], comment)
    guard first == 1 else { return }
    var folded: [String: [[SQLValue]: [String: SQLValue]]] = [:]
    for change in changes {
      let columns = Dictionary(uniqueKeysWithValues: change.columns.map { ($0.name, $0.value) })
      switch change.operation {
      case .insert: folded[change.table, default: [:]][change.key] = columns
      case .update: folded[change.table]?[change.key]?.merge(columns) { $1 }
      case .delete: folded[change.table]?[change.key] = nil
      }
    }
    for table in try t.database.read({ try t.changelog.trackedTables($0) }) {
      let names = (table.keyColumns + table.columns).map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      var rows: [[SQLValue]: [String: SQLValue]] = [:]
      for row in try t.database.rows("SELECT \(raw: names) FROM \(identifier: table.name)") {
        let key = table.keyColumns.indices.map { row[$0] }
        rows[key] = Dictionary(
          uniqueKeysWithValues: table.columns.enumerated().map { ($1.name, row[table.keyColumns.count + $0]) })
      }
      #expect(rows == folded[table.name] ?? [:], "\(comment), \(table.name)")
    }
  }

  @Test("Killed in the middle of a write, over and over: log and tables agree, and what was acknowledged is in both")
  func killed() throws {
    let cuts = Self.setting("DIMPLE_POWER_CUTS", 20)
    let firstSeed = Self.setting("DIMPLE_POWER_CUT_SEED", 1)
    var file = try TemporaryFile()
    var (last, committed, isTrimmed) = (Int64(0), Int64(0), false)
    for cut in 0..<cuts {
      if cut.isMultiple(of: 10) {
        (file, last, isTrimmed) = (try TemporaryFile(), 0, cut / 10 % 3 == 2)
      }
      var random = SeededRandom(seed: firstSeed + cut)
      let killsItself = random.oneIn(2)
      let client = try ChangelogClient([
        isTrimmed ? "trim" : "write", file.path, "\(firstSeed + cut)", "\(killsItself ? 1 + random.below(400) : 0)",
      ])
      let end = client.finish(killAfterLines: killsItself ? nil : random.below(40))
      let comment: Comment = "seed \(firstSeed + cut)"
      #expect(end.wasKilled, comment)
      let t = try TrackedDatabase(path: file.path)
      defer { try? t.database.close() }
      let acknowledged = max(last, end.lines.last.flatMap { Int64($0) } ?? 0)
      let number = try t.lastTransaction
      let first = try isTrimmed ? t.keptFrom : 1
      // The one that was committed when there was no time left to say so.
      #expect((acknowledged...acknowledged + 1).contains(number), comment)
      try check(t, from: first, comment)
      committed += number - last
      last = number
    }
    #expect(committed > 0)
    if ProcessInfo.processInfo.environment["DIMPLE_POWER_CUTS"] != nil {
      print("\(cuts) cuts, \(committed) transactions, up to seed \(firstSeed + cuts - 1)")
    }
  }

  @Test(
    "Two processes that write at once under load: nothing lost, repeated, or out of order",
    arguments: [1, 2] as [UInt64])
  func together(seed: UInt64) throws {
    let file = try TemporaryFile()
    try TrackedDatabase("CREATE TABLE T(id TEXT PRIMARY KEY, n)", path: file.path).database.close()
    let each = 150
    // Their clocks differ, and jump.
    let seeds = [seed * 10, seed * 10 + 1]
    let clients = try seeds.map { try ChangelogClient(["hammer", file.path, String($0), String(each)]) }
    let t = try TrackedDatabase(path: file.path)
    var own: [Int64] = []
    for number in 0..<50 {
      try t.script("INSERT INTO T VALUES ('own \(number)', 0)")
      own.append(try t.lastTransaction)
    }
    let ends = clients.map { $0.finish() }
    #expect(ends.allSatisfy { $0.status == 0 && $0.lines.count == each })
    try check(t, "seed \(seed)")
    let changes = try t.changes()
    #expect(Set(changes.map(\.stamp.uuid)).count == changes.count)
    // What each was told is in the log under that number, once, in the order of each.
    let numbers: [[Int64]] = ends.map { end in end.lines.compactMap { Int64($0) } }
    #expect(numbers.allSatisfy { $0 == $0.sorted() && $0.count == each })
    let told = Set(numbers[0] + numbers[1])
    #expect(told.count == 2 * each && told.isSubset(of: Set(changes.map(\.transaction))))
    #expect(Set(own).count == 50 && own == own.sorted())
    #expect(try t.rows("SELECT count(*) FROM T WHERE id LIKE 'own %'") == ["50"])
    #expect(try t.rows("SELECT count(*) FROM T WHERE id NOT LIKE 'own %'") == ["\(2 * each)"])
  }
}
