import DimpleStore
import Foundation
import Testing

/// A program that is killed while it writes, over and over: what it said was committed is there, and nothing half.
///
/// `DIMPLE_POWER_CUTS` sets how often (30), `DIMPLE_POWER_CUT_SEED` where the sequence begins (1).
@Suite(.timeLimit(.minutes(60))) struct PowerCutTests {
  private static func setting(_ name: String, _ fallback: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? fallback
  }

  /// Runs the writer until it dies; the last number it acknowledged, 0 if none.
  private func runUntilKilled(_ path: String, seed: UInt64) throws -> Int {
    var random = SeededRandom(seed: seed)
    let killsItself = Bool.random(using: &random)
    let process = Process()
    let output = Pipe()
    process.executableURL = StoreClient.url
    let killAfter = killsItself ? Int.random(in: 1...600, using: &random) : 0
    process.arguments = [path, "write", "\(seed)", "\(killAfter)"]
    process.standardOutput = output
    let lines = Int.random(in: 0...30, using: &random)
    let spins = Int.random(in: 0...2_000_000, using: &random)
    try process.run()
    var heard: [UInt8] = []
    var isKilled = killsItself
    while true {
      if !isKilled, heard.count(where: { $0 == UInt8(ascii: "\n") }) >= lines {
        // Somewhere in the transaction, or the commit, or the checkpoint that follows.
        var state = SeededRandom(seed: 0)
        for _ in 0..<(spins / 100) { _ = state.next() }
        kill(process.processIdentifier, SIGKILL)
        isKilled = true
      }
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { break }
      heard += data
    }
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(process.terminationStatus == SIGKILL)
    return String(decoding: heard, as: UTF8.self).split(separator: "\n").last.flatMap { Int($0) } ?? 0
  }

  /// - Parameter before: what was there already.
  private func check(_ path: String, acknowledged: Int, seed: UInt64) throws -> Int {
    let db = try Database(path)
    defer { try? db.close() }
    #expect(try db.integrityCheck() == [], "seed \(seed)")
    // Killed before its migration was committed, it leaves an empty database.
    guard try db.queryOne(Int.self, "SELECT 1 FROM sqlite_schema WHERE name = 'batch'") != nil else {
      #expect(acknowledged == 0, "seed \(seed)")
      return 0
    }
    let last = try db.queryOne(Int.self, "SELECT coalesce(max(id), 0) FROM batch") ?? 0
    // The one that was committed when the program had no time left to say so.
    #expect(last == acknowledged || last == acknowledged + 1, "seed \(seed)")
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM batch") == last, "seed \(seed)")
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM batch WHERE id < 1") == 0, "seed \(seed)")
    let torn = try db.queryOne(
      Int.self,
      "SELECT count(*) FROM batch WHERE size != (SELECT count(*) FROM entry WHERE entry.batch = batch.id)")
    #expect(torn == 0, "seed \(seed)")
    #expect(
      try db.queryOne(Int.self, "SELECT count(*) FROM entry WHERE batch NOT IN (SELECT id FROM batch)") == 0,
      "seed \(seed)")
    return last
  }

  @Test func whatWasAcknowledgedIsThereAndNothingHalf() throws {
    let cuts = Self.setting("DIMPLE_POWER_CUTS", 30)
    let firstSeed = Self.setting("DIMPLE_POWER_CUT_SEED", 1)
    var folder = try TemporaryFolder()
    var last = 0
    var committed = 0
    for cut in 0..<cuts {
      // Several cuts on one file, so that what one leaves behind is there for the next.
      if cut.isMultiple(of: 10) {
        folder = try TemporaryFolder()
        last = 0
      }
      let acknowledged = try runUntilKilled(folder.path(), seed: firstSeed + cut)
      let found = try check(folder.path(), acknowledged: max(last, acknowledged), seed: firstSeed + cut)
      committed += found - last
      last = found
    }
    #expect(committed > 0)
    if ProcessInfo.processInfo.environment["DIMPLE_POWER_CUTS"] != nil {
      print("\(cuts) cuts, \(committed) transactions, up to seed \(firstSeed + cuts - 1)")
    }
  }
}

@Suite(.timeLimit(.minutes(10))) struct ProcessesTests {
  @Test func processesThatStartAtOnceMigrateOnce() throws {
    let folder = try TemporaryFolder()
    let processes = try (0..<4).map { _ in
      let process = Process()
      process.executableURL = StoreClient.url
      process.arguments = [folder.path(), "migrate"]
      process.standardOutput = Pipe()
      try process.run()
      return process
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    let db = try Database(folder.path())
    #expect(try db.query(Int.self, "SELECT number FROM applied") == Array(1..<12))
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM dimple_migration") == 12)
    #expect(try db.integrityCheck().isEmpty)
  }
}
