import DimpleChangelog
import DimpleMutex
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@testable import DimpleSync

@Suite("One sync at a time")
struct OneSyncAtATimeTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  /// Stops the first sync inside its first listing until it is let go.
  private final class Gate: Sendable {
    let arrived = AsyncStream.makeStream(of: Void.self)
    let opened = AsyncStream.makeStream(of: Void.self)

    func storage(_ base: any ObjectStorage) -> FaultyStorage {
      FaultyStorage(base, schedule: .none) { request in
        guard request.number == 1 else { return }
        self.arrived.continuation.yield()
        for await _ in self.opened.stream { break }
      }
    }

    func untilArrived() async { for await _ in arrived.stream { break } }
    func open() { opened.continuation.yield() }
  }

  /// Waits without time: whoever is waited for only needs the threads that this gives back.
  private func until(_ condition: () -> Bool) async { while !condition() { await Task.yield() } }

  @Test(arguments: [false, true]) func aSecondEngineOfTheDatabaseWaits(isInMemory: Bool) async throws {
    let (memory, gate) = (MemoryStorage(), Gate())
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let replica = try SimulatedReplica(
      storage: gate.storage(memory), path: isInMemory ? nil : path, migrations: migrations)
    try await replica.database.execute("INSERT INTO Item VALUES ('x', 1)")
    let counting = CountingStorage(memory)
    let other = SyncEngine(replica.database, storage: counting, vault: TransparentVault())
    let key = try await SyncTurn.key(of: replica.database)
    let first = Task { try await replica.engine.sync() }
    await gate.untilArrived()
    let second = Task { try await other.sync() }
    await until { SyncQueue.shared.waiting(key) == 1 }
    #expect(counting.counts.requests == 0)
    gate.open()
    #expect(try await first.value.pushedTransactions == 1)
    #expect(try await second.value.isEmpty)
    #expect(SyncQueue.shared.waiting(key) == 0)
  }

  @Test func anotherDatabaseDoesNotWait() async throws {
    let (memory, gate) = (MemoryStorage(), Gate())
    let stopped = try SimulatedReplica(storage: gate.storage(memory), migrations: migrations)
    let free = try SimulatedReplica(storage: memory, migrations: migrations)
    let first = Task { try await stopped.engine.sync() }
    await gate.untilArrived()
    _ = try await free.engine.sync()
    gate.open()
    _ = try await first.value
  }

  @Test func aWaitingSyncCanBeCancelled() async throws {
    let (memory, gate) = (MemoryStorage(), Gate())
    let replica = try SimulatedReplica(storage: gate.storage(memory), migrations: migrations)
    let key = try await SyncTurn.key(of: replica.database)
    let first = Task { try await replica.engine.sync() }
    await gate.untilArrived()
    let second = Task { try await replica.engine.sync() }
    await until { SyncQueue.shared.waiting(key) == 1 }
    second.cancel()
    await #expect(throws: CancellationError.self) { _ = try await second.value }
    #expect(SyncQueue.shared.waiting(key) == 0)
    gate.open()
    _ = try await first.value
    #expect(try await replica.engine.sync().isEmpty)
  }

  @Test func aSyncCancelledBeforeItBeginsAsksForNothing() async throws {
    let counting = CountingStorage(MemoryStorage())
    let replica = try SimulatedReplica(storage: counting, migrations: migrations)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await replica.engine.sync()
    }
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    #expect(counting.counts.requests == 0)
    #expect(try await replica.engine.sync().isEmpty)
  }

  /// Opens its vault once it is let through, and counts how often.
  private final class GatedProvider: VaultProvider {
    let gate = Gate()
    let opened = Mutex(0)

    func openVault(on storage: any ObjectStorage) async throws -> any Vault {
      opened.withLock { $0 += 1 }
      gate.arrived.continuation.yield()
      for await _ in gate.opened.stream { break }
      try Task.checkCancellation()
      return TransparentVault()
    }
  }

  /// A sync that opens the vault, and a proof, which takes no turn as it writes nothing, that waits for it.
  private func twoThatOpen(
    _ provider: GatedProvider
  ) async throws -> (sync: Task<SyncReport, any Error>, proof: Task<ChangeProof?, any Error>) {
    let replica = try SimulatedReplica(storage: MemoryStorage(), vault: provider, migrations: migrations)
    let sync = Task { try await replica.engine.sync() }
    await provider.gate.untilArrived()
    let proof = Task {
      try await replica.engine.proof(
        of: Stamp(time: HybridTime(rawValue: 1), replica: ReplicaID(rawValue: 1)))
    }
    await until { SyncQueue.shared.waiting(.opening(ObjectIdentifier(replica.engine))) == 1 }
    return (sync, proof)
  }

  @Test func theVaultIsOpenedOnceWhoeverAsksMeanwhile() async throws {
    let provider = GatedProvider()
    let (sync, proof) = try await twoThatOpen(provider)
    provider.gate.open()
    _ = try await sync.value
    #expect(try await proof.value == nil)
    #expect(provider.opened.withLock { $0 } == 1)
  }

  @Test func whoWaitsForTheVaultOpensItIfTheOtherIsCancelled() async throws {
    let provider = GatedProvider()
    let (sync, proof) = try await twoThatOpen(provider)
    sync.cancel()
    await #expect(throws: CancellationError.self) { _ = try await sync.value }
    provider.gate.open()
    #expect(try await proof.value == nil)
    #expect(provider.opened.withLock { $0 } == 2)
  }

  @Test func anotherProcessIsWaitedFor() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let clock = SteppedClock()
    var options = SyncEngine.Options()
    options.clock = clock
    let counting = CountingStorage(MemoryStorage())
    let replica = try SimulatedReplica(
      storage: counting, path: path, options: options, migrations: migrations)
    // Two descriptors of one file exclude each other like two processes.
    let lock = try held(path)
    let sync = Task { try await replica.engine.sync() }
    await clock.waitForSleeper(until: .milliseconds(10))
    clock.advance(by: .milliseconds(10))
    await clock.waitForSleeper(until: .milliseconds(30))
    #expect(counting.counts.requests == 0)
    lock.unlock()
    clock.advance(by: .milliseconds(20))
    #expect(try await sync.value.isEmpty)
    #expect(counting.counts.lists == 1)
    try await replica.database.close()
  }

  @Test func waitingForAnotherProcessCanBeCancelled() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let clock = SteppedClock()
    var options = SyncEngine.Options()
    options.clock = clock
    let replica = try SimulatedReplica(
      storage: MemoryStorage(), path: path, options: options, migrations: migrations)
    let lock = try held(path)
    let sync = Task { try await replica.engine.sync() }
    await clock.waitForSleeper(until: .milliseconds(10))
    sync.cancel()
    await #expect(throws: CancellationError.self) { _ = try await sync.value }
    lock.unlock()
    #expect(try await replica.engine.sync().isEmpty)
    try await replica.database.close()
  }

  @Test func aSyncLeavesTheLockFree() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let faulty = FaultyStorage(MemoryStorage(), schedule: FaultSchedule { _ in .failBefore })
    let replica = try SimulatedReplica(storage: faulty, path: path, migrations: migrations)
    await #expect(throws: RemoteError.self) { _ = try await replica.engine.sync() }
    _ = try held(path)
    faulty.schedule = .none
    _ = try await replica.engine.sync()
    _ = try held(path)
    try await replica.database.close()
  }

  private func held(_ path: String) throws -> FileLock {
    guard case .locked(let lock) = FileLock.attempt(path + "-sync") else {
      throw SyncError(.damagedState, operation: "lock", message: "Somebody else has it.")
    }
    return lock
  }
}
