import DimpleDb
import DimpleTestSupport
import Foundation
import Testing

@Suite("Two processes")
struct TwoProcessesTests {
  private static let migrations = [
    Migration("create Todo", "CREATE TABLE Todo (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
  ]
  private static let environment = ["DIMPLE_PASSPHRASE": "open sesame"]

  @Test func bothSeeEachOthersDataAfterSyncWhileALiveQueryRuns() async throws {
    let folder = try TemporaryFolder()
    let mine = try Database.open(folder.file("mine.db"), migrations: Self.migrations)
    let engine = SyncEngine(mine, remote: .directory(folder.file("vault")), encryption: .passphrase("open sesame"))
    var live = mine.observe(String.self, "SELECT text FROM Todo ORDER BY id").makeAsyncIterator()
    #expect(try await live.next() == [])
    try await mine.execute("INSERT INTO Todo VALUES (1, 'mine')")
    #expect(try await live.next() == ["mine"])
    _ = try await engine.sync()

    // The other process has a database of its own.
    try await Database.open(folder.file("theirs.db"), migrations: Self.migrations).close()
    let write = try Tool.run("query", folder.file("theirs.db"), "INSERT INTO Todo VALUES (2, 'theirs')")
    #expect(write.status == 0, "\(write.errors)")
    let sync = try Tool.run(
      "sync", folder.file("theirs.db"), folder.file("vault"), "--json", environment: Self.environment)
    #expect(sync.status == 0, "\(sync.errors)")
    #expect(sync.output.contains(#""pulledTransactions":1"#))

    _ = try await engine.sync()
    #expect(try await live.next() == ["mine", "theirs"])
    let theirs = try Tool.run("query", folder.file("theirs.db"), "SELECT text FROM Todo ORDER BY id", "--json")
    #expect(theirs.output == "{\"text\":\"mine\"}\n{\"text\":\"theirs\"}\n")
    let fingerprint = try Tool.run("fingerprint", folder.file("theirs.db"))
    #expect(fingerprint.output == "\(try mine.fingerprint())\n")
    try await mine.close()
  }

  @Test func aLiveQuerySeesAnotherProcessWriteTheSameFile() async throws {
    let folder = try TemporaryFolder()
    let database = try Database.open(folder.file("shared.db"), migrations: Self.migrations)
    var live = database.observe(String.self, "SELECT text FROM Todo ORDER BY id").makeAsyncIterator()
    #expect(try await live.next() == [])
    let write = try Tool.run("query", folder.file("shared.db"), "INSERT INTO Todo VALUES (1, 'from outside')")
    #expect(write.status == 0, "\(write.errors)")
    #expect(try await live.next() == ["from outside"])
    // And what it wrote is tracked, in one log with ours.
    try await database.execute("INSERT INTO Todo VALUES (2, 'from inside')")
    let log = try database.changelog?.changes(in: database) ?? []
    #expect(log.map(\.transaction) == [1, 2])
    try await database.close()
  }

  @Test func watchPrintsWhatAnotherProcessWrites() async throws {
    let folder = try TemporaryFolder()
    let database = try Database.open(folder.file("watched.db"), migrations: Self.migrations)
    let (process, lines) = try Tool.start([
      "watch", folder.file("watched.db"), "SELECT text FROM Todo", "--json", "--count", "2",
    ])
    var seen: [String] = []
    for await line in lines {
      seen.append(line)
      if seen.count == 1 { try await database.execute("INSERT INTO Todo VALUES (1, 'hello')") }
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(seen == [#"{"rows":[]}"#, #"{"rows":[{"text":"hello"}]}"#])
    try await database.close()
  }

  @Test("A sync waits while another process syncs the same file, whether that ends well or is killed")
  func oneProcessAtATime() async throws {
    for isKilled in [false, true] {
      let folder = try TemporaryFolder()
      let (path, vault) = (folder.file("shared.db"), folder.file("vault"))
      let database = try Database.open(path, migrations: Self.migrations)
      try await database.execute("INSERT INTO Todo VALUES (1, 'x')")
      let process = try await stoppedSync(path, vault)
      let before = files(vault)
      let clock = SteppedClock()
      var options = SyncEngine.Options()
      options.clock = clock
      let engine = SyncEngine(
        database, remote: .directory(vault), encryption: .passphrase("open sesame"), options: options)
      let sync = Task { try await engine.sync() }
      await clock.waitForSleeper(until: .milliseconds(10))
      clock.advance(by: .milliseconds(10))
      await clock.waitForSleeper(until: .milliseconds(30))
      // Whoever waits does nothing.
      #expect(files(vault) == before)
      kill(process.processIdentifier, isKilled ? SIGKILL : SIGCONT)
      process.waitUntilExit()
      #expect(isKilled == (process.terminationReason == .uncaughtSignal))
      clock.advance(by: .milliseconds(20))
      #expect(try await sync.value.skipped.isEmpty)
      // It is in the vault once, whoever sent it.
      #expect(files(vault).count { $0.hasPrefix("log/") } == 1)
      #expect(try await engine.sync().isEmpty)
      try await database.close()
    }
  }

  /// A process in the middle of a sync, which goes no further. A passphrase takes long enough for that, nearly always.
  private func stoppedSync(_ path: String, _ vault: String) async throws -> Process {
    while true {
      let process = try Tool.launch(["sync", path, vault], environment: Self.environment)
      while process.isRunning, !isLocked(path + "-sync") { await Task.yield() }
      kill(process.processIdentifier, SIGSTOP)
      if isLocked(path + "-sync") { return process }
      kill(process.processIdentifier, SIGCONT)
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
    }
  }

  private func files(_ folder: String) -> Set<String> {
    Set(FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
  }

  /// Whether a process has the lock.
  private func isLocked(_ path: String) -> Bool {
    let descriptor = open(path, O_RDWR)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }
}
