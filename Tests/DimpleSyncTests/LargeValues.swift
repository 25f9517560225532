import DimpleRemote
import DimpleStore
import DimpleTestSupport

/// What tests of large values share.
enum LargeValues {
  static let schema = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)"
  static let day: Int64 = 86_400_000

  /// Bytes that do not compress, by a seed.
  static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
    return Array(bytes.prefix(count))
  }

  /// A blob of one part, as short as one may be.
  static func blob(_ seed: UInt64) -> SQLValue { .blob(bytes(1 << 20 + 1, seed: seed)) }

  /// The keys of the parts in a storage.
  static func parts(_ storage: MemoryStorage) -> [String] {
    storage.snapshot.keys.filter { $0.hasPrefix("blob/") }.sorted()
  }
}

extension SimulatedReplica {
  func insert(_ id: String, _ value: SQLValue) async throws {
    try await database.execute("INSERT INTO Item VALUES (\(id), \(value), 1)")
  }

  func value(_ id: String) async throws -> SQLValue? {
    try await database.rows("SELECT a FROM Item WHERE id = \(id)").first?[0]
  }
}
