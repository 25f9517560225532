import DimpleDb
import Foundation
import Testing

/// What docs/FORMAT.md tells a stranger to do, done: a vault is read, and rebuilt, without this library.
@Suite("A vault by hand", .enabled(if: Programs.areThere))
struct ByHandTests {
  private static let migrations = [
    Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b REAL, c BLOB)"),
    Migration("2", "CREATE TABLE Pair (x INTEGER, y TEXT, v, PRIMARY KEY (x, y)) WITHOUT ROWID"),
  ]

  /// Two devices that write at once, delete, bring back, overwrite.
  private func write(_ remote: Remote, _ encryption: Encryption) async throws -> Database {
    let databases = try (0..<2).map { _ in try Database.openInMemory(migrations: Self.migrations) }
    let engines = databases.map { SyncEngine($0, remote: remote, encryption: encryption) }
    func syncAll() async throws { for engine in engines { #expect(try await engine.sync().skipped.isEmpty) } }
    try await databases[0].write { connection in
      for (index, text) in ["é \"quoted\"\n", "", "2", "gone", "back"].enumerated() {
        try connection.execute("INSERT INTO Item VALUES (\("k\(index)"), \(text), 0.1, \([UInt8(index), 255]))")
      }
      try connection.execute("INSERT INTO Pair VALUES (-9223372036854775808, 'b', 1e300), (2, 'ü', NULL)")
    }
    try await syncAll()
    try await databases[0].execute("UPDATE Item SET a = 'first' WHERE id IN ('k0', 'k1')")
    try await databases[1].execute("UPDATE Item SET a = 'second', b = 9e999 WHERE id IN ('k1', 'k2')")
    try await databases[1].execute("DELETE FROM Item WHERE id IN ('k3', 'k4')")
    try await databases[0].execute("UPDATE Item SET a = 'after its death' WHERE id = 'k3'")
    // Twice: the first hears of the second's deletes before it brings a row back.
    for _ in 0..<2 { try await syncAll() }
    try await databases[0].execute("INSERT INTO Item (id, b) VALUES ('k4', -0.0)")
    try await databases[1].execute("UPDATE Pair SET v = 9007199254740993 WHERE x = 2")
    try await syncAll()
    try await syncAll()
    #expect(try databases[0].fingerprint() == databases[1].fingerprint())
    return databases[0]
  }

  /// As the script prints them.
  private func rows(of database: Database) throws -> [String] {
    try database.read { connection in
      try [("Item", ["id"], ["a", "b", "c"]), ("Pair", ["x", "y"], ["v"])].flatMap { table, key, columns in
        try connection.rows("SELECT * FROM \(identifier: table)").map { row in
          var writer = JSONWriter()
          writer.raw(#"{"table":"#)
          writer.string(table)
          writer.raw(#","key":"#)
          writer.list(key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write(row[$1], to: &$0) }
          writer.raw(#","columns":"#)
          writer.list(columns, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, name in
            writer.string(name)
            writer.raw(":")
            ValueJSON.write(row[name], to: &writer)
          }
          writer.raw("}")
          return String(decoding: writer.bytes, as: UTF8.self)
        }
      }
    }.sorted()
  }

  @Test func theScriptRebuildsAVaultWithoutEncryption() async throws {
    let folder = try TemporaryFolder()
    let database = try await write(.directory(folder.path), .none)
    let rebuilt = try Programs.shell("python3 docs/rebuild.py '\(folder.path)'").split(separator: "\n").map(String.init)
    #expect(try rebuilt.sorted() == rows(of: database))
    #expect(rebuilt.count == 6)
  }

  @Test func theCommandsOfTheFormatsPageReadAnEncryptedVault() async throws {
    let folder = try TemporaryFolder()
    let provider = AgeVaultProvider(passphrase: "a passphrase", workFactor: 15)
    let database = try await write(.directory(folder.path), .custom(provider))
    let page = try String(contentsOf: Programs.root.appending(path: "docs/FORMAT.md"), encoding: .utf8)
    let section = try #require(page.components(separatedBy: "## By hand").dropFirst().first)
    let commands = try #require(section.components(separatedBy: "```sh\n").dropFirst().first)
      .components(separatedBy: "```")[0].split(separator: "\n").map(String.init)
    #expect(commands.count == 3)
    // The program asks on a terminal.
    let script = folder.path + "/open.sh"
    try "bucket='\(folder.path)'\n\(commands[0])\n".write(toFile: script, atomically: true, encoding: .utf8)
    _ = try Programs.shell("python3 scripts/lib/answer.py 'a passphrase' sh '\(script)'")
    let json = try Programs.shell("bucket='\(folder.path)'; \(commands[1])").split(separator: "\n")
    #expect(json.count { $0.contains(#""kind":"log""#) } == json.count { $0.contains(#""format":1"#) })
    #expect(json.contains { $0.contains(#""table":"Item""#) && $0.contains("after its death") })
    let rebuilt = try Programs.shell("bucket='\(folder.path)'; \(commands[2])").split(separator: "\n").map(String.init)
    #expect(try rebuilt.sorted() == rows(of: database))
  }
}

/// What a stranger has.
private enum Programs {
  /// Promised, or there by chance.
  static let areThere =
    Environment.expectsAge
    || ["age", "jq", "python3"].allSatisfy { (try? shell("command -v \($0)"))?.isEmpty == false }

  /// The project's folder.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Runs in the project's folder.
  static func shell(_ command: String) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-ec", command]
    process.currentDirectoryURL = root
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Environment.Missing(description: "failed: \(command)") }
    return String(decoding: text, as: UTF8.self)
  }
}
