import DimpleRemote
import DimpleTestSupport
import Testing

@Suite("Storage conformance")
struct StorageConformanceTests {
  @Test("Memory keeps the contract") func memory() async throws {
    var options = StorageConformance.Options()
    options.mustHonourIfAbsent = true
    let storage = MemoryStorage()
    try await StorageConformance.check(storage, options: options)
    #expect(storage.snapshot.isEmpty, "the suite leaves nothing behind")
  }

  @Test("Memory with tiny pages keeps the contract") func tinyPages() async throws {
    var options = StorageConformance.Options()
    options.objectCount = 25
    try await StorageConformance.check(MemoryStorage(pageSize: 3), options: options)
  }

  @Test("A folder keeps the contract") func directory() async throws {
    let folder = try TemporaryFolder()
    var options = StorageConformance.Options()
    options.mustHonourIfAbsent = true
    let storage = try DirectoryStorage(folder.path)
    try await StorageConformance.check(storage, options: options)
    #expect(try await storage.listAll(prefix: "").isEmpty)
  }

  @Test("Decorators keep the contract") func decorators() async throws {
    var options = StorageConformance.Options()
    options.objectCount = 30
    try await StorageConformance.check(
      RetryingStorage(CountingStorage(FaultyStorage(MemoryStorage(), schedule: .none))), options: options)
  }

  /// A storage with one flaw, for the suite to find.
  private struct Flawed: ObjectStorage {
    enum Flaw: String, CaseIterable {
      case losesOrder, forgetsPage, ignoresLimit, ignoresKeyRules, failsSecondDelete, foldersOnly, shortensObjects
      case ignoresCancellation, appends, wrongSize
    }
    let flaw: Flaw
    let base = MemoryStorage(pageSize: 10)
    var description: String { "flawed: \(flaw)" }

    func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
      var page = try await base.list(prefix: prefix, after: cursor)
      switch flaw {
      case .losesOrder: page.objects.reverse()
      case .forgetsPage: page.next = nil
      case .foldersOnly where !prefix.isEmpty:
        page.objects.removeAll { $0.key != prefix && !$0.key.hasPrefix(prefix.hasSuffix("/") ? prefix : prefix + "/") }
      case .wrongSize: for index in page.objects.indices { page.objects[index].size += 1 }
      default: break
      }
      return page
    }

    func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
      if flaw == .ignoresCancellation { return base.snapshot[key] ?? [] }
      let bytes = try await base.get(key, maximumSize: flaw == .ignoresLimit ? .max : maximumSize)
      return flaw == .shortensObjects ? Array(bytes.prefix(4096)) : bytes
    }

    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
      if flaw == .ignoresKeyRules, !KeyRules.isValid(key) { return }
      let old = flaw == .appends ? base.snapshot[key] ?? [] : []
      try await base.put(key, old + bytes, condition: condition)
    }

    func delete(_ key: String) async throws {
      if flaw == .failsSecondDelete, base.snapshot[key] == nil, KeyRules.isValid(key) {
        throw RemoteError.noSuchObject(key)
      }
      try await base.delete(key)
    }
  }

  @Test("The suite finds a flaw", arguments: Flawed.Flaw.allCases)
  private func findsFlaw(_ flaw: Flawed.Flaw) async throws {
    var options = StorageConformance.Options()
    options.objectCount = 25
    let violations = try await StorageConformance.violations(of: Flawed(flaw: flaw), options: options)
    #expect(!violations.isEmpty, "\(flaw) went unnoticed")
    await #expect(throws: StorageConformance.Failure.self) {
      try await StorageConformance.check(Flawed(flaw: flaw), options: options)
    }
  }
}
