import DimpleMutex
import DimpleRemote
import DimpleTestSupport

/// The bucket of a run, with an owner who can do what owners can do, and who keeps everything that was ever put.
final class Bucket: ObjectStorage {
  private let memory: MemoryStorage
  private let archive = Mutex<[String: [UInt8]]>([:])
  private let earlier = Mutex<[[String: [UInt8]]]>([])
  private let time: @Sendable () -> Int64?
  /// The vault's in it.
  let name: String

  /// - Parameter time: What the storage says the time is, in milliseconds; `nil` if it does not tell.
  init(_ name: String, pageSize: Int, time: @escaping @Sendable () -> Int64?) {
    self.name = name
    memory = MemoryStorage(pageSize: pageSize)
    self.time = time
  }

  var description: String { "bucket" }
  /// Its keys now.
  var keys: [String] { memory.snapshot.keys.sorted() }
  /// All that was ever put, as a storage of its own.
  var whole: MemoryStorage { MemoryStorage(archive.withLock { $0 }) }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    var page = try await memory.list(prefix: prefix, after: cursor)
    page.serverTimeMilliseconds = time()
    return page
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await memory.get(key, maximumSize: maximumSize)
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await memory.put(key, bytes, condition: condition)
    archive.withLock { $0[key] = bytes }
  }

  func delete(_ key: String) async throws { try await memory.delete(key) }

  // MARK: - The owner

  /// Remembers the moment, to go back to.
  func remember() { earlier.withLock { $0.append(memory.snapshot) } }

  /// Puts back all that was ever put: nothing is missing or altered.
  func makeWhole() { memory.restore(archive.withLock { $0 }) }

  func mischief(_ mischief: Script.Mischief, _ random: inout SeededRandom) {
    var objects = memory.snapshot
    let keys = objects.keys.sorted()
    guard let key = random.pick(keys), let other = random.pick(keys), let bytes = objects[key] else { return }
    switch mischief {
    case .drop: objects[key] = nil
    case .swap:
      objects[key] = objects[other]
      objects[other] = bytes
    case .corrupt:
      guard !bytes.isEmpty else { return }
      objects[key]?[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
    case .truncate: objects[key] = Array(bytes.prefix(random.below(bytes.count + 1)))
    case .rollBack: objects = earlier.withLock { random.pick($0) } ?? objects
    case .addJunk: addJunk(to: &objects, like: key, &random)
    case .renameToAnother:
      objects[String(key.dropLast(2)) + "00"] = bytes
    }
    memory.restore(objects)
  }

  private func addJunk(to objects: inout [String: [UInt8]], like key: String, _ random: inout SeededRandom) {
    let folder = key.prefix { $0 != "/" }
    objects["\(folder)/README"] = Array("<html>not found</html>".utf8)
    objects["\(folder)/" + String(repeating: "ff", count: 40)] = (0..<random.below(40)).map { UInt8($0) }
    objects["\(folder)/00"] = []
    objects["elsewhere/x"] = [1]
  }
}
