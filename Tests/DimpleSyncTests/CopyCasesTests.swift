import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

@Suite("What a copy takes along")
struct CopyCasesTests: CopiedItems {
  let files = CopiedFiles()

  @Test("Case 32: only what was never sent goes out under the new name, numbered from 1, with the times it had")
  func onlyTheUnsent() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path)
    try await insert("a", "b", in: original)
    _ = try await original.engine.sync()
    try await insert("c", in: original)
    let (first, second) = try await copy(original, path, storage: storage)
    try await insert("first", in: first)
    try await insert("second", in: second)
    let before = try #require(try second.database.changelog?.changes())
    #expect(try await first.engine.sync().pushedTransactions == 2)
    let report = try await second.engine.sync()
    #expect(report.tookNewName)
    #expect(report.warnings.map(\.code) == [.copyFound])
    #expect(report.pushedTransactions == 1)
    let after = try #require(try second.database.changelog?.changes())
    #expect(after.map(\.transaction) == [1, 2, 3, 4])
    #expect(after.map(\.stamp.time) == before.map(\.stamp.time))
    let (old, new) = (try name(first), try name(second))
    #expect(old != new)
    #expect(after.map(\.stamp.replica) == [old, old, old, new])
    _ = try await first.engine.sync()
    #expect(try await ids(first) == ["a", "b", "c", "first", "second"])
    let newcomer = try replica(storage)
    #expect(try await newcomer.engine.sync().pulledTransactions == 5)
    try expectAgreement(first, second, newcomer)
    // Nothing is left to do or to find.
    for replica in [first, second, newcomer] { #expect(try await replica.engine.sync().isEmpty) }
    try await first.database.close()
    try await second.database.close()
  }

  @Test("Case 32: a week-old backup is restored: what came after comes back, what is written now is kept")
  func backup() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path)
    let other = try replica(storage)
    try await insert("a", in: original)
    _ = try await original.engine.sync()
    try await insert("b", in: original)
    let (before, restored) = try await copy(original, path, storage: storage)
    before.clock.advance(milliseconds: 1000)
    try await insert("c", "d", in: before)
    _ = try await before.engine.sync()
    _ = try await other.engine.sync()
    try await other.database.execute("UPDATE Item SET a = 2 WHERE id = 'a'")
    _ = try await other.engine.sync()
    // The device is lost; its backup goes on a week later.
    try await before.database.close()
    restored.clock.advance(milliseconds: 7 * 86_400_000)
    try await restored.database.execute("UPDATE Item SET a = 3 WHERE id = 'b'")
    let report = try await restored.engine.sync()
    #expect(report.tookNewName)
    #expect(report.pushedTransactions == 1)
    other.clock.milliseconds = restored.clock.milliseconds
    _ = try await other.engine.sync()
    #expect(try await ids(restored) == ["a", "b", "c", "d"])
    #expect(try await other.database.query(Int.self, "SELECT a FROM Item ORDER BY id") == [2, 3, 1, 1])
    try expectAgreement(restored, other)
    try await restored.database.close()
  }

  @Test("Case 32: a backup that wrote nothing since takes in what its former self wrote, and does so once")
  func idleBackup() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let (before, restored) = try await copy(original, path, storage: storage)
    try await insert("b", in: before)
    _ = try await before.engine.sync()
    #expect(try await restored.engine.sync().tookNewName)
    #expect(try await restored.engine.sync().isEmpty)
    #expect(try await ids(restored) == ["a", "b"])
    try await insert("c", in: restored)
    _ = try await restored.engine.sync()
    _ = try await before.engine.sync()
    #expect(try await ids(before) == ["a", "b", "c"])
    try await before.database.close()
    try await restored.database.close()
  }

  @Test("Case 32: what another vault lacks of the old name's log still reaches it, under the old name")
  func severalVaults() async throws {
    let (home, stick, path) = (MemoryStorage(), MemoryStorage(), files.new())
    let original = try replica(home, path: path)
    try await insert("a", in: original)
    _ = try await engine(original, stick, "stick").sync()
    try await insert("b", "c", in: original)
    let (first, second) = try await copy(original, path, storage: home)
    try await insert("first", in: first)
    try await insert("second", in: second)
    _ = try await first.engine.sync()
    #expect(try await second.engine.sync().tookNewName)
    // The stick has only "a". The original is never connected to it again.
    let report = try await engine(second, stick, "stick").sync()
    #expect(!report.tookNewName)
    #expect(report.pushedTransactions == 3)
    let reader = try replica(MemoryStorage())
    _ = try await engine(reader, stick, "stick").sync()
    #expect(try await ids(reader) == ["a", "b", "c", "second"])
    #expect(try reader.database.authors(of: [.text("c")], in: "Item")?.inserted?.replica == name(first))
    #expect(try reader.database.authors(of: [.text("second")], in: "Item")?.inserted?.replica == name(second))
    // The first comes all the same, and has nothing to send but its own.
    let late = try await engine(first, stick, "stick").sync()
    #expect(late.skipped.isEmpty)
    #expect(!late.tookNewName)
    #expect(late.pushedTransactions == 1)
    for replica in [reader, second] { _ = try await engine(replica, stick, "stick").sync() }
    #expect(try await ids(reader) == ["a", "b", "c", "first", "second"])
    _ = try await first.engine.sync()
    _ = try await second.engine.sync()
    try expectAgreement(first, second)
    for database in [first.database, second.database] { try await database.close() }
  }

  @Test("Case 32: both copies sent under one name before they could know: both take new ones, nothing is lost")
  func bothSent() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let (first, second) = try await copy(original, path, storage: storage)
    let early = MemoryStorage(storage.snapshot)
    try await insert("first", "more", in: first)
    try await insert("second", in: second)
    _ = try await engine(first, early).sync()
    _ = try await engine(second, storage).sync()
    #expect(try name(first) == name(second))
    storage.restore(storage.snapshot.merging(early.snapshot) { one, _ in one })
    let third = try replica(storage)
    _ = try await third.engine.sync()
    for _ in 0..<2 { for replica in [first, second, third] { _ = try await replica.engine.sync() } }
    for replica in [first, second, third] { #expect(try await ids(replica) == ["a", "first", "more", "second"]) }
    #expect(try Set([name(first), name(second), name(third)]).count == 3)
    let newcomer = try replica(storage)
    _ = try await newcomer.engine.sync()
    #expect(try await ids(newcomer) == ["a", "first", "more", "second"])
    for database in [first.database, second.database] { try await database.close() }
  }

  @Test("Case 32: a file that is copied before it ever syncs, as one that an app brings along: each has its own name")
  func copiedBeforeTheFirstSync() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path)
    try await insert("a", in: original)
    let (first, second) = try await copy(original, path, storage: storage)
    try await insert("first", in: first)
    try await insert("second", in: second)
    #expect(try await first.engine.sync().pushedTransactions == 2)
    // A listing that lacks what the other sent tells nothing of it.
    let stale = FaultyStorage(storage, schedule: FaultSchedule { $0.operation == .list ? .omit : nil })
    #expect(try await engine(second, stale).sync().pushedTransactions == 2)
    #expect(try name(first) != name(second))
    let newcomer = try replica(storage)
    for replica in [second, first, newcomer] {
      let report = try await replica.engine.sync()
      #expect(report.skipped.isEmpty && !report.tookNewName)
    }
    #expect(try await ids(newcomer) == ["a", "first", "second"])
    try expectAgreement(first, second, newcomer)
    for database in [first.database, second.database] { try await database.close() }
  }

  /// As a version left it that took in others' rows and was stopped before it sent anything.
  @Test func aDatabaseThatHasSyncedWithoutAKeyGetsOneAndSends() async throws {
    let storage = MemoryStorage()
    let (writer, reader) = (try replica(storage), try replica(storage))
    try await insert("a", in: writer)
    _ = try await writer.engine.sync()
    try await insert("b", in: reader)
    let silent = FaultyStorage(storage, schedule: FaultSchedule { $0.operation == .put ? .failBefore : nil })
    await #expect(throws: RemoteError.self) { _ = try await engine(reader, silent).sync() }
    try await reader.database.write { connection in
      try connection.withInternalAccess {
        try connection.execute("DELETE FROM dimple_sync WHERE name = 'signingKey'")
        try connection.execute("UPDATE dimple_replica SET key = NULL WHERE number = 1")
      }
    }
    #expect(try await reader.engine.sync().pushedTransactions == 1)
    _ = try await writer.engine.sync()
    #expect(try await ids(writer) == ["a", "b"])
    try expectAgreement(writer, reader)
  }

  @Test("Case 32: a copy that is told by its file, made before the first sync, sends all that it has")
  func toldByTheFileBeforeTheFirstSync() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path, detectsCopies: true)
    try await insert("a", in: original)
    try await original.database.close()
    let copyPath = files.new()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)
    let copy = try replica(storage, path: copyPath, detectsCopies: true)
    try await insert("b", in: copy)
    #expect(try await copy.engine.sync().pushedTransactions == 2)
    let newcomer = try replica(storage)
    _ = try await newcomer.engine.sync()
    #expect(try await ids(newcomer) == ["a", "b"])
    try expectAgreement(copy, newcomer)
    try await copy.database.close()
  }

  @Test("Case 32: what a copy put and cannot be read is not contradicted under the same name and numbers")
  func unreadable() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let (first, second) = try await copy(original, path, storage: storage)
    let before = Set(storage.snapshot.keys)
    try await insert("first", in: first)
    _ = try await first.engine.sync()
    let sent = try #require(storage.snapshot.first { $0.key.hasPrefix("log/") && !before.contains($0.key) })
    try await storage.put(sent.key, [1, 2, 3])
    try await insert("second", in: second)
    #expect(try await second.engine.sync().tookNewName)
    try await storage.put(sent.key, sent.value)
    for replica in [second, first] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    #expect(try await ids(first) == ["a", "first", "second"])
    try expectAgreement(first, second)
  }

  @Test("Case 32: a put of unknown outcome that landed, and the copy's: found by both, nothing is lost")
  func unknownOutcome() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let (first, second) = try await copy(original, path, storage: storage)
    try await insert("second", in: second)
    let faulty = FaultyStorage(storage, schedule: FaultSchedule { $0.operation == .put ? .failAfter : nil })
    await #expect(throws: RemoteError.self) { _ = try await engine(second, faulty).sync() }
    try await insert("first", in: first)
    // It sees the other's pack, and takes another name.
    #expect(try await first.engine.sync().tookNewName)
    #expect(try await second.engine.sync().tookNewName == false)
    _ = try await first.engine.sync()
    #expect(try await ids(first) == ["a", "first", "second"])
    try expectAgreement(first, second)
    for database in [first.database, second.database] { try await database.close() }
  }

  @Test(
    "Case 32: a copy that is told by its file keeps what it has under the old name, and sends what comes under the new one"
  )
  func toldByTheFile() async throws {
    let (storage, stick, path) = (MemoryStorage(), MemoryStorage(), files.new())
    let original = try await synced(storage, path: path, detectsCopies: true)
    try await insert("b", in: original)
    try await original.database.close()
    let copyPath = files.new()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)
    let first = try replica(storage, path: path, detectsCopies: true)
    let second = try replica(storage, path: copyPath, later: 50, detectsCopies: true)
    try await insert("first", in: first)
    try await insert("second", in: second)
    #expect(try name(first) != name(second))
    // "b" is nowhere yet: the copy sends it under the name of both.
    #expect(try await second.engine.sync().pushedTransactions == 2)
    let report = try await first.engine.sync()
    #expect(!report.tookNewName)
    #expect(report.pushedTransactions == 1)
    _ = try await second.engine.sync()
    for replica in [first, second] { #expect(try await ids(replica) == ["a", "b", "first", "second"]) }
    try expectAgreement(first, second)
    #expect(try second.database.authors(of: [.text("b")], in: "Item")?.inserted?.replica == name(first))
    // And all of it to a vault that has nothing.
    _ = try await engine(second, stick, "stick").sync()
    let reader = try replica(MemoryStorage())
    _ = try await engine(reader, stick, "stick").sync()
    #expect(try await ids(reader) == ["a", "b", "second"])
    for database in [first.database, second.database] { try await database.close() }
  }

  @Test("What the original goes on to write under the old name is read once by its copy, as anybody's")
  func readOnce() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let (first, second) = try await copy(original, path, storage: storage)
    let counting = CountingStorage(storage)
    let engine = engine(second, counting)
    try await insert("f0", in: first)
    _ = try await first.engine.sync()
    #expect(try await engine.sync().tookNewName)
    for number in 1...3 {
      try await insert("f\(number)", in: first)
      _ = try await first.engine.sync()
      counting.reset()
      _ = try await engine.sync()
      #expect(counting.counts.gets == 1)
      _ = try await engine.sync()
      #expect(counting.counts.gets == 1)
    }
    // Also by the next process.
    counting.reset()
    _ = try await self.engine(second, counting).sync()
    #expect(counting.counts.gets == 0)
    #expect(try await ids(second) == ["a", "f0", "f1", "f2", "f3"])
    for database in [first.database, second.database] { try await database.close() }
  }

  @Test("A copy joins none of the other's packs, and deletes none")
  func compaction() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path)
    for index in 0..<6 {
      try await insert("a\(index)", in: original)
      _ = try await original.engine.sync()
    }
    let (first, second) = try await copy(original, path, storage: storage)
    for index in 0..<8 {
      try await insert("f\(index)", in: first)
      try await insert("s\(index)", in: second)
      for replica in [first, second] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    }
    let newcomer = try replica(storage)
    _ = try await newcomer.engine.sync()
    #expect(try await ids(newcomer).count == 22)
    for replica in [first, second] { _ = try await replica.engine.sync() }
    try expectAgreement(newcomer, first, second)
    for database in [first.database, second.database] { try await database.close() }
  }
}
