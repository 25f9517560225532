internal import DimpleMutex

/// Keys of objects that need no second look as long as the vault is open.
final class ObjectKeys: Sendable {
  private let keys = Mutex<Set<String>>([])

  func contains(_ key: String) -> Bool { keys.withLock { $0.contains(key) } }

  func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }
}
