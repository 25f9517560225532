import DimpleMutex
import DimpleRemote
import Testing

@Suite("Listings without end")
struct EndlessListingTests {
  /// Names its pages as told; each has one object.
  private final class Pages: ObjectStorage {
    private let next: @Sendable (Int) -> Int?
    private let listed = Mutex(0)

    /// - Parameter next: The page after the one of that number.
    init(next: @escaping @Sendable (Int) -> Int?) { self.next = next }

    var count: Int { listed.withLock { $0 } }

    var description: String { "pages" }

    func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
      let page = cursor.flatMap { Int($0.token) } ?? 0
      listed.withLock { $0 += 1 }
      return ListPage(
        objects: [ObjectInfo(key: "\(prefix)\(page)", size: 1)],
        next: next(page).map { ListCursor(token: "\($0)") })
    }

    func get(_ key: String, maximumSize: Int) async throws -> [UInt8] { throw RemoteError.noSuchObject(key) }
    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {}
    func delete(_ key: String) async throws {}
  }

  private func code(_ body: () async throws -> Void) async -> RemoteError.Code? {
    await #expect(throws: RemoteError.self) { try await body() }?.code
  }

  @Test func aPageThatSaysToGoOnWhereItBeganEndsIt() async throws {
    let storage = Pages { _ in 1 }
    #expect(await code { _ = try await storage.listAll(prefix: "a/") } == .endlessListing)
    #expect(storage.count == 2)
  }

  @Test func soDoTooManyPages() async throws {
    let storage = Pages { $0 + 1 }
    #expect(await code { _ = try await storage.listAll(prefix: "a/") } == .endlessListing)
    #expect(storage.count == ListPage.maximumCount)
    let circle = Pages { 3 - $0 }
    #expect(await code { try await circle.forEachPage(prefix: "", maximumPages: 10) { _ in } } == .endlessListing)
    #expect(circle.count == 10)
  }

  @Test func asManyPagesAsAllowedAreRead() async throws {
    let storage = Pages { $0 < 9 ? $0 + 1 : nil }
    var keys: [String] = []
    try await storage.forEachPage(prefix: "a/", maximumPages: 10) { keys += $0.objects.map(\.key) }
    #expect(keys == (0...9).map { "a/\($0)" })
    #expect(try await storage.listAll(prefix: "a/").map(\.key) == keys)
    #expect(
      await code { try await storage.forEachPage(prefix: "a/", maximumPages: 9) { _ in } } == .endlessListing)
  }
}
