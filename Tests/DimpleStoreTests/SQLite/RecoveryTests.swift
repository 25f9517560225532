import DimpleStore
import Foundation
import Testing

/// After each failure of the file: what can be saved is intact, and a backup brings back the rest.
@Suite struct RecoveryTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func aReadOnlyFileRefusesEveryKindOfWriteAndStaysIntact() throws {
    let db = try Database(folder.path(), migrations: [Todo.migration])
    try db.save(Todo(text: "a"))
    var configuration = Configuration()
    configuration.isReadOnly = true
    let reader = try Database(folder.path(), configuration: configuration)
    for write in [{ _ = try reader.execute("DELETE FROM Todo") }, { try reader.vacuum() }, { try reader.erase() }] {
      let error = storeError { try write() }
      #expect(error?.code == .readOnly)
    }
    #expect(try reader.integrityCheck().isEmpty)
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
  }

  @Test func afterDamageABackupIsWhole() throws {
    let db = try Database(folder.path(), migrations: [Todo.migration])
    try db.write { connection in
      for number in 0..<2000 { try connection.save(Todo(text: "number \(number)")) }
    }
    try db.backup(to: folder.path("backup.db"))
    try db.close()
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path()))
    for page in 3..<20 {
      try file.seek(toOffset: UInt64(page) * 4096)
      try file.write(contentsOf: Data(repeating: 0x5A, count: 1024))
    }
    try file.close()
    let damaged = try Database(folder.path())
    #expect(storeError { _ = try damaged.rows("SELECT * FROM Todo") }?.code == .corrupt)
    #expect(try !damaged.integrityCheck().isEmpty)
    #expect(storeError { try damaged.vacuum(into: folder.path("thin.db")) }?.code == .corrupt)
    #expect(!FileManager.default.fileExists(atPath: folder.path("thin.db")))
    try damaged.close()
    let restored = try Database(folder.path("backup.db"), migrations: [Todo.migration])
    #expect(try restored.integrityCheck().isEmpty)
    #expect(try restored.queryOne(Int.self, "SELECT count(*) FROM Todo") == 2000)
  }

  /// SQLite itself refuses: to write on would be to write to a file that nobody finds any more.
  @Test func aFileThatWasMovedAwayIsReadOnlyAndIntactOnceItIsBack() throws {
    var configuration = Configuration()
    configuration.journalMode = .delete
    let db = try Database(folder.path(), configuration: configuration, migrations: [Todo.migration])
    try db.save(Todo(text: "before"))
    try FileManager.default.moveItem(atPath: folder.path(), toPath: folder.path("moved.db"))
    let error = storeError { try db.save(Todo(text: "lost")) }
    #expect(error?.code == .readOnly)
    // SQLITE_READONLY_DBMOVED
    #expect(error?.extendedCode == 1032)
    #expect(error?.hint.isEmpty == false)
    try FileManager.default.moveItem(atPath: folder.path("moved.db"), toPath: folder.path())
    #expect(try db.query(String.self, "SELECT text FROM Todo") == ["before"])
    try db.save(Todo(text: "after"))
    #expect(try db.integrityCheck().isEmpty)
  }

  /// In a process of its own, which the system forbids to let a file grow.
  @Test func aWriteThatTheSystemRefusesFailsIsUndoneAndCanBeRepeated() throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = StoreClient.url
    process.arguments = [folder.path(), "outgrow"]
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd().map { String(decoding: $0, as: UTF8.self) } ?? ""
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let words = text.split(whereSeparator: \.isWhitespace)
    try #require(words.count == 3, "\(text)")
    #expect(words[0] == "ioFailed")
    let before = try #require(Int(words[1]))
    #expect(before > 0)
    // Once more than before: the write that failed was tried again with room enough.
    #expect(Int(words[2]) == before + 1)
    let db = try Database(folder.path())
    #expect(try db.integrityCheck().isEmpty)
    #expect(try db.query(Int.self, "SELECT number FROM batch ORDER BY number") == Array(1...(before + 1)))
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM filler") == 10 * (before + 1))
  }

  @Test func aDatabaseWhoseHeaderIsOverwrittenIsNoneAndIsNotTouched() throws {
    let path = folder.path()
    let db = try Database(path, migrations: [Todo.migration])
    try db.save(Todo(text: "a"))
    try db.close()
    let sound = try Data(contentsOf: URL(fileURLWithPath: path))
    let damaged = Data(repeating: 0x20, count: 16) + sound.dropFirst(16)
    try damaged.write(to: URL(fileURLWithPath: path))
    let error = storeError { _ = try Database(path, migrations: [Todo.migration]) }
    #expect(error?.code == .notADatabase)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == damaged)
    try sound.write(to: URL(fileURLWithPath: path))
    let again = try Database(path, migrations: [Todo.migration])
    #expect(try again.integrityCheck().isEmpty)
    #expect(try again.queryOne(String.self, "SELECT text FROM Todo") == "a")
  }

  @Test func aBackupThatIsNoDatabaseIsRefused() throws {
    try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: folder.path()))
    #expect(storeError { _ = try Database.inMemoryCopy(of: folder.path()) }?.code == .notADatabase)
  }

  @Test func aDiskThatIsFullDuringAMigrationLeavesTheOldVersion() throws {
    try Database(folder.path(), migrations: [Todo.migration]).save(Todo(text: "a"))
    var small = Configuration()
    small.prepareConnection = { _ = try $0.rows("PRAGMA max_page_count = 12") }
    let large = Migration("large", "CREATE TABLE large (x); INSERT INTO large VALUES (zeroblob(200000))")
    let error = storeError {
      _ = try Database(folder.path(), configuration: small, migrations: [Todo.migration, large])
    }
    #expect(error?.code == .diskFull)
    let db = try Database(folder.path(), migrations: [Todo.migration, large])
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
    #expect(try db.integrityCheck().isEmpty)
  }
}
