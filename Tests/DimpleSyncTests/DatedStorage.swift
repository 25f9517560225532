import DimpleRemote
import DimpleTestSupport

/// A storage whose listings carry the time of a clock of its own, as a server's answers do.
struct DatedStorage: ObjectStorage {
  let base: any ObjectStorage
  let clock: ManualClock

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    var page = try await base.list(prefix: prefix, after: cursor)
    page.serverTimeMilliseconds = clock.milliseconds
    return page
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await base.get(key, maximumSize: maximumSize)
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await base.put(key, bytes, condition: condition)
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}
