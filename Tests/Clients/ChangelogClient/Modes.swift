import ClientSupport
import DimpleChangelog
import DimpleStore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The other process of the tests that need one.
enum Modes {
  /// Writes transactions to tables of several kinds until it is killed, and says which are committed: a line with each
  /// one's number.
  ///
  /// - Parameters:
  ///   - killAfter: calls of a function after which it kills itself, in the middle of a statement; never if 0.
  ///   - trims: removes what it has written from the log, too.
  static func write(_ path: String, seed: UInt64, killAfter: Int, trims: Bool) throws {
    var random = Random(seed: seed)
    let countdown = Countdown(killAfter)
    var options = Changelog.Options()
    if trims { options.retention = .minimal }
    var configuration = Configuration().tracking(options)
    configuration.functions = [
      SQLFunction("tick", argumentCount: 1, deterministic: false) { arguments in
        countdown.tick()
        return arguments[0]
      }
    ]
    let schema = Migration(
      "schema",
      """
      CREATE TABLE parent (id INTEGER PRIMARY KEY, a);
      CREATE TABLE child (
        a TEXT, b INTEGER, parent REFERENCES parent ON DELETE CASCADE, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
      CREATE TABLE noted (id INTEGER PRIMARY KEY, what);
      CREATE TRIGGER note AFTER UPDATE ON parent BEGIN INSERT INTO noted(what) VALUES (NEW.a); END;
      """)
    let db = try Database(path, configuration: configuration, migrations: [schema])
    guard let changelog = db.changelog else { return }
    while true {
      if trims, random.below(4) == 0 { try changelog.trim() }
      let isUndone = random.below(6) == 0
      do {
        let number = try db.write { connection in
          for _ in 0..<1 + random.below(12) {
            // The statement is undone, and the transaction goes on.
            do { try step(connection, &random) } catch let error as StoreError where error.code.isConstraint {}
          }
          if isUndone { throw Undone() }
          return try changelog.lastTransaction(connection)
        }
        say(number)
      } catch is Undone {}
      if random.below(10) == 0 { try db.checkpoint(random.below(2) == 0 ? .passive : .truncate) }
    }
  }

  private struct Undone: Error {}

  private static func step(_ connection: Connection, _ random: inout Random) throws {
    let (id, value) = (random.below(40), random.below(1000))
    let text = String(repeating: "x", count: random.below(300))
    switch random.below(8) {
    case 0: try connection.execute("DELETE FROM parent WHERE tick(id) = \(id)")
    case 1: try connection.execute("UPDATE parent SET a = tick(\(value)) WHERE id >= \(id)")
    case 2: try connection.execute("UPDATE OR REPLACE parent SET id = \(random.below(40)) WHERE tick(id) = \(id)")
    case 3:
      // Undone, in the middle of a transaction that goes on.
      try? connection.savepoint {
        try connection.execute("UPDATE child SET c = tick(\(value))")
        throw Undone()
      }
    case 4:
      try connection.execute(
        "INSERT OR REPLACE INTO child SELECT \(text), tick(\(value)), id, \(value) FROM parent WHERE id = \(id)")
    default: try connection.execute("INSERT OR REPLACE INTO parent VALUES (\(id), tick(\(text)))")
    }
  }

  /// Writes `count` transactions, by a clock that jumps, while others do the same; a line with the number of each.
  static func hammer(_ path: String, seed: UInt64, count: Int) throws {
    let clock = JumpingClock(seed)
    var options = Changelog.Options()
    options.clock = WallClock { clock.milliseconds() }
    var configuration = Configuration().tracking(options)
    configuration.busyTimeout = .seconds(60)
    let db = try Database(path, configuration: configuration)
    guard let changelog = db.changelog else { return }
    for number in 0..<count {
      let last = try db.write { connection in
        try connection.execute("INSERT INTO T VALUES (\("\(seed) \(number)"), 1)")
        try connection.execute("UPDATE T SET n = n + 1 WHERE id = (SELECT max(id) FROM T)")
        return try changelog.lastTransaction(connection)
      }
      say(last)
    }
    try db.close()
  }

  /// By a system call of its own: what was said before the end is heard.
  private static func say(_ number: Int64) {
    let line = Array("\(number)\n".utf8)
    _ = line.withUnsafeBytes { bytes in
      #if canImport(Glibc)
        Glibc.write(1, bytes.baseAddress, bytes.count)
      #elseif canImport(Musl)
        Musl.write(1, bytes.baseAddress, bytes.count)
      #else
        Darwin.write(1, bytes.baseAddress, bytes.count)
      #endif
    }
  }

  private final class Countdown: @unchecked Sendable {  // the client has one thread
    private var left: Int
    init(_ left: Int) { self.left = left }

    func tick() {
      left -= 1
      if left == 0 { kill(getpid(), SIGKILL) }
    }
  }

  private final class JumpingClock: @unchecked Sendable {  // the client has one thread
    private var random: Random
    private var now: Int64 = 1_800_000_000_000

    init(_ seed: UInt64) {
      random = Random(seed: seed)
      now += Int64(random.below(7_200_000))
    }

    func milliseconds() -> Int64 {
      now += random.below(20) == 0 ? Int64(random.below(7_200_000)) - 3_600_000 : Int64(random.below(3))
      return now
    }
  }
}
