import DimpleRemote
import DimpleTestSupport
import Testing

/// A service as one might have it: named values, whole or not at all, behind a network.
private actor Locker {
  struct Refused: Error {}
  struct NoConnection: Error {}

  private var values: [String: [UInt8]] = [:]

  func size(of name: String) throws -> Int? { values[name]?.count }
  func value(of name: String) throws -> [UInt8]? { values[name] }
  func set(_ name: String, to value: [UInt8]?) throws { values[name] = value }
  func names(startingWith prefix: String) throws -> [String] { values.keys.filter { $0.hasPrefix(prefix) } }
}

// The names the page shows; the type is private to this file all the same.
// snippet: storage
/// A shelf of lockers as the far side.
private struct LockerStorage: ObjectStorage {
  let locker: Locker
  let description = "lockers"

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await perform("list \(prefix)") {
      let after = cursor?.token ?? ""
      let names = try await locker.names(startingWith: prefix).filter { $0 > after }.sorted()
      var objects: [ObjectInfo] = []
      for name in names.prefix(1000) {
        // Removed since the names were asked for: not there, not an error.
        guard let size = try await locker.size(of: name) else { continue }
        objects.append(ObjectInfo(key: name, size: Int64(size)))
      }
      return ListPage(
        objects: objects, next: names.count > 1000 ? names.prefix(1000).last.map { ListCursor(token: $0) } : nil)
    }
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await perform("get \(key)", key: key) {
      guard let size = try await locker.size(of: key) else { throw RemoteError.noSuchObject(key) }
      // Before the bytes are asked for: they might fill the memory.
      guard size <= maximumSize else {
        throw RemoteError.objectTooLarge(key, size: Int64(size), maximumSize: maximumSize)
      }
      guard let bytes = try await locker.value(of: key) else { throw RemoteError.noSuchObject(key) }
      // It may have been replaced by a longer one in between.
      guard bytes.count <= maximumSize else {
        throw RemoteError.objectTooLarge(key, size: Int64(bytes.count), maximumSize: maximumSize)
      }
      return bytes
    }
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    // The service knows no conditions, so `condition` is not honoured, as the contract allows. (Looking first and
    // writing then would only pretend: another may write in between.)
    try await perform("put \(key)", key: key) { try await locker.set(key, to: bytes) }
  }

  func delete(_ key: String) async throws {
    try await perform("delete \(key)", key: key) { try await locker.set(key, to: nil) }
  }

  /// What all four have in common: cancellation, the rules for keys, and errors that say what to do.
  private func perform<Result>(
    _ operation: String, key: String? = nil, _ body: () async throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    if let key { try KeyRules.validate(key, operation: operation) }
    do {
      return try await body()
    } catch is Locker.NoConnection {
      throw RemoteError(
        .unreachable, operation: operation, message: "The lockers do not answer.", hint: "Check the network.")
    } catch is Locker.Refused {
      throw RemoteError(
        .accessDenied, operation: operation, message: "The lockers stay shut.", hint: "Ask for a new badge.")
    }
  }
}
// end

@Suite("A backend of one's own, as docs/STORAGE_BACKENDS.md shows it")
struct CustomBackendTests {
  // snippet: conformance
  @Test("The lockers keep the contract") func conforms() async throws {
    try await StorageConformance.check(LockerStorage(locker: Locker()))
  }
  // end

  // snippet: faults
  @Test("A put that landed, but answered an error, is repeated without harm") func landedUnnoticed() async throws {
    let faulty = FaultyStorage(LockerStorage(locker: Locker()), schedule: .only(1, .failAfter))
    let storage = RetryingStorage(faulty, policy: RetryPolicy(baseDelay: .zero))
    try await storage.put("log/a", [1, 2, 3])
    #expect(try await storage.get("log/a", maximumSize: 3) == [1, 2, 3])
    #expect(faulty.requestCount == 3)
  }
  // end
}
