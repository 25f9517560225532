import ClientSupport
import DimpleStore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The other process of the tests that need one: with a path and the name of what to do.
enum Modes {
  /// Applies a history of migrations of which each leaves a row, while other processes do the same.
  static func migrate(_ path: String) throws {
    let table = Migration("table", "CREATE TABLE applied (number INTEGER)")
    let rows = (1..<12).map { Migration("row \($0)", "INSERT INTO applied VALUES (\($0))") }
    try Database(path, migrations: [table] + rows).close()
    print("ok")
  }

  /// Writes transactions until it is killed, and says which are committed: a line with each one's number.
  ///
  /// - Parameter killAfter: calls of a function after which it kills itself, in the middle of a statement; never if 0.
  static func write(_ path: String, seed: UInt64, killAfter: Int) throws {
    var random = Random(seed: seed)
    let countdown = Countdown(killAfter)
    var configuration = Configuration()
    configuration.functions = [
      SQLFunction("filler", argumentCount: 1, deterministic: false) { arguments in
        countdown.tick()
        return .blob([UInt8](repeating: 0xA5, count: try Int(sqlValue: arguments[0])))
      }
    ]
    let schema = Migration(
      "schema",
      """
      CREATE TABLE batch (id INTEGER PRIMARY KEY, size INTEGER NOT NULL);
      CREATE TABLE entry (batch INTEGER REFERENCES batch, number INTEGER, filler BLOB, PRIMARY KEY (batch, number));
      """)
    let db = try Database(path, configuration: configuration, migrations: [schema])
    var next = (try db.queryOne(Int.self, "SELECT coalesce(max(id), 0) FROM batch") ?? 0) + 1
    while true {
      let size = random.below(40) + 1
      let bytes = random.below(6000)
      if random.below(5) == 0 {
        do {
          try db.write {
            try insert($0, batch: -next, size: size, bytes: bytes)
            throw Undone()
          }
        } catch is Undone {}
      }
      try db.write { try insert($0, batch: next, size: size, bytes: bytes) }
      say(next)
      next += 1
      if random.below(8) == 0 { try db.checkpoint(random.below(2) == 0 ? .passive : .truncate) }
    }
  }

  private struct Undone: Error {}

  private static func insert(_ connection: Connection, batch: Int, size: Int, bytes: Int) throws {
    try connection.execute("INSERT INTO batch VALUES (\(batch), \(size))")
    for number in 0..<size {
      try connection.execute("INSERT INTO entry VALUES (\(batch), \(number), filler(\(bytes)))")
    }
  }

  /// By a system call of its own: what was said before the end is heard.
  private static func say(_ number: Int) {
    let line = Array("\(number)\n".utf8)
    _ = line.withUnsafeBytes { unistdWrite(1, $0.baseAddress, $0.count) }
  }

  private static func unistdWrite(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(file, bytes, count)
    #elseif canImport(Musl)
      Musl.write(file, bytes, count)
    #else
      Darwin.write(file, bytes, count)
    #endif
  }

  private final class Countdown: @unchecked Sendable {  // the client has one thread
    private var left: Int
    init(_ left: Int) { self.left = left }

    func tick() {
      left -= 1
      if left == 0 { kill(getpid(), SIGKILL) }
    }
  }
}
