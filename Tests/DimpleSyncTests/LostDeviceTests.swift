import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

/// A backup takes the place of a device, and contradicts what that sent under the name of both.
@Suite("What a lost device sent")
struct LostDeviceTests: CopiedItems {
  let files = CopiedFiles()

  @Test(
    "Case 32: a backup that sends before it can see what its former self sent: nothing of either is lost to anyone",
    arguments: [true, false])
  func backupThatCouldNotSee(hadSent: Bool) async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try replica(storage, path: path)
    // Else they have nothing in common but a name.
    if hadSent { try await insert("a", in: original) }
    _ = try await original.engine.sync()
    let (lost, restored) = try await copy(original, path, storage: storage)
    let early = MemoryStorage(storage.snapshot)
    try await insert("lost 1", "lost 2", in: lost)
    _ = try await lost.engine.sync()
    try await insert("lost 3", in: lost)
    _ = try await lost.engine.sync()
    let believer = try replica(storage)
    _ = try await believer.engine.sync()
    try await lost.database.close()
    // Of what the lost device sent, its backup sees nothing, nor does somebody who reads it then.
    try await insert("restored", in: restored)
    _ = try await engine(restored, early).sync()
    let other = try replica(early)
    _ = try await other.engine.sync()
    storage.restore(storage.snapshot.merging(early.snapshot) { one, _ in one })
    #expect(try await restored.engine.sync().tookNewName)
    let newcomer = try replica(storage)
    let replicas = [restored, believer, other, newcomer]
    for _ in 0..<2 { for replica in replicas { _ = try await engine(replica, storage).sync() } }
    for replica in replicas {
      #expect(try await ids(replica) == (hadSent ? ["a"] : []) + ["lost 1", "lost 2", "lost 3", "restored"])
      #expect(try replica.database.fingerprint() == newcomer.database.fingerprint())
    }
    // It is done once.
    for replica in replicas { #expect(try await engine(replica, storage).sync().pushedPacks == 0) }
    try await restored.database.close()
  }

  @Test("Case 32: restored twice, and the two that are lost contradict each other: nothing of either is lost to anyone")
  func restoredTwice() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    let copies = try await copies(3, of: original, path, storage: storage)
    let early = MemoryStorage(storage.snapshot)
    var readers: [SimulatedReplica] = []
    for (lost, storage) in zip(copies, [storage, early]) {
      try await insert("lost \(readers.count)", in: lost)
      _ = try await engine(lost, storage).sync()
      readers.append(try replica(storage))
      _ = try await readers[readers.count - 1].engine.sync()
      try await lost.database.close()
    }
    storage.restore(storage.snapshot.merging(early.snapshot) { one, _ in one })
    let heir = copies[2]
    try await insert("heir", in: heir)
    #expect(try await engine(heir, storage).sync().tookNewName)
    let replicas = [heir, try replica(storage)] + readers
    for _ in 0..<2 { for replica in replicas { _ = try await engine(replica, storage).sync() } }
    for replica in replicas {
      #expect(try await ids(replica) == ["a", "heir", "lost 0", "lost 1"])
      #expect(try replica.database.fingerprint() == heir.database.fingerprint())
    }
    for replica in replicas { #expect(try await engine(replica, storage).sync().pushedPacks == 0) }
    try await heir.database.close()
  }

  @Test("Case 32: what could not be read of a lost device is compared once it can be")
  func unreadableAtFirst() async throws {
    let (storage, path) = (MemoryStorage(), files.new())
    let original = try await synced(storage, path: path)
    try await insert("b", in: original)
    let (lost, restored) = try await copy(original, path, storage: storage)
    let before = Set(storage.snapshot.keys)
    try await insert("lost", in: lost)
    _ = try await lost.engine.sync()
    let contradicting = try #require(storage.snapshot.keys.first { $0.hasPrefix("log/") && !before.contains($0) })
    try await insert("more", in: lost)
    _ = try await lost.engine.sync()
    try await lost.database.close()
    try await insert("restored", in: restored)
    // The first pack beyond the backup is not found, then comes damaged, and was sent long ago; the next one can be read.
    let faulty = FaultyStorage(storage, schedule: .none)
    let engine = engine(restored, faulty)
    for fault in [StorageFault.lose, .truncate] {
      faulty.schedule = FaultSchedule { $0.operation == .get && $0.key == contradicting ? fault : nil }
      _ = try await engine.sync()
    }
    faulty.schedule = .none
    for _ in 0..<2 { _ = try await engine.sync() }
    let newcomer = try replica(storage)
    _ = try await newcomer.engine.sync()
    for replica in [restored, newcomer] {
      #expect(try await ids(replica) == ["a", "b", "lost", "more", "restored"])
    }
    #expect(try restored.database.fingerprint() == newcomer.database.fingerprint())
    try await restored.database.close()
  }

  @Test("Case 32: a copy of a copy sends nothing again of what the first original goes on to write")
  func livingOriginal() async throws {
    let (storage, path, copyPath) = (MemoryStorage(), files.new(), files.new())
    let original = try await synced(storage, path: path, detectsCopies: true)
    try await insert("b", in: original)
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)
    let first = try replica(storage, path: path, detectsCopies: true)
    let second = try replica(storage, path: copyPath, detectsCopies: true)
    // One pack with what both have and what the original alone has.
    try await insert("first", in: first)
    _ = try await first.engine.sync()
    try await insert("second", in: second)
    _ = try await second.engine.sync()
    let (third, fourth) = try await copy(second, copyPath, storage: storage)
    for (replica, id) in [(third, "third"), (fourth, "fourth")] {
      try await insert(id, in: replica)
      _ = try await replica.engine.sync()
    }
    #expect(try name(third) != name(fourth))
    for replica in [third, fourth] { _ = try await replica.engine.sync() }
    try await insert("more", in: first)
    _ = try await first.engine.sync()
    for replica in [third, fourth] { #expect(try await replica.engine.sync().pushedPacks == 0) }
    for replica in [first, third, fourth] {
      _ = try await replica.engine.sync()
      #expect(try await ids(replica) == ["a", "b", "first", "fourth", "more", "second", "third"])
      try await replica.database.close()
    }
  }
}
