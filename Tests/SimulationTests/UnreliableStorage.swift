import DimpleMutex
import DimpleRemote
import DimpleTestSupport

/// A storage whose answers go wrong as a seed says: failed and half-failed requests, stale and repeating lists, objects cut
/// short. Counts what it did.
final class UnreliableStorage: ObjectStorage {
  private struct State {
    var random: SeededRandom
    var isReliable = false
    var faults: [String: Int] = [:]
  }

  private let base: MemoryStorage
  private let state: Mutex<State>

  init(_ base: MemoryStorage, seed: UInt64) {
    self.base = base
    state = Mutex(State(random: SeededRandom(seed: seed)))
  }

  var description: String { "unreliable" }

  var faults: [String: Int] { state.withLock { $0.faults } }

  func becomeReliable() { state.withLock { $0.isReliable = true } }

  /// Whether a fault of this kind strikes now.
  private func strikes(_ kind: String, oneIn times: Int) -> Bool {
    state.withLock { state in
      guard !state.isReliable, state.random.oneIn(times) else { return false }
      state.faults[kind, default: 0] += 1
      return true
    }
  }

  private func fail(_ operation: String) -> RemoteError {
    RemoteError(.serverFailed, operation: operation, message: "503, by order of the seed.")
  }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    if strikes("list fails", oneIn: 12) { throw fail("list") }
    var page = try await base.list(prefix: prefix, after: cursor)
    if strikes("list misses names", oneIn: 6) {
      state.withLock { state in
        for _ in 0..<2 where !page.objects.isEmpty { page.objects.remove(at: state.random.below(page.objects.count)) }
      }
    }
    if strikes("list repeats and shuffles", oneIn: 6) {
      state.withLock { page.objects = (page.objects + page.objects).shuffled(using: &$0.random) }
    }
    return page
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    if strikes("get fails", oneIn: 12) { throw fail("get") }
    var bytes = try await base.get(key, maximumSize: maximumSize)
    if strikes("object cut short", oneIn: 12) { bytes.removeLast(bytes.count / 3) }
    if strikes("object altered", oneIn: 12), !bytes.isEmpty {
      state.withLock { bytes[$0.random.below(bytes.count)] ^= 0x10 }
    }
    return bytes
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    if strikes("put fails", oneIn: 8) { throw fail("put") }
    try await base.put(key, bytes, condition: condition)
    if strikes("put lands, answer lost", oneIn: 8) { throw fail("put") }
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}
