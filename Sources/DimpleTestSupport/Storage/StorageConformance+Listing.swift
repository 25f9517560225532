internal import DimpleRemote

extension StorageConformance {
  /// What holds for listings.
  var listingChecks: [(rule: String, body: Check)] {
    [
      ("a listing is in ascending byte order, with sizes", { try await $0.order() }),
      ("a prefix is text, not a folder", { try await $0.prefixes() }),
      ("pages joined are the whole, each object once", { try await $0.paging() }),
    ]
  }

  /// Where a folder's name sorts between its neighbours differs from where what is in it does.
  private static let tricky = [
    "list/A", "list/B", "list/_x", "list/a-b", "list/a.b", "list/a/c", "list/a0", "list/aa/b/c", "list/b",
  ]

  private func putTricky() async throws {
    for (index, name) in Self.tricky.enumerated().reversed() {
      try await storage.put(key(name), [UInt8](repeating: 1, count: index))
    }
  }

  private func order() async throws {
    try await putTricky()
    let listed = try await storage.listAll(prefix: key("list/"))
    let expected = Self.tricky.enumerated().map { ObjectInfo(key: key($1), size: Int64($0)) }
      .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    try expect(listed == expected, "it gave \(listed.map { "\($0.key) (\($0.size))" })")
  }

  private func prefixes() async throws {
    try await putTricky()
    for (prefix, expected) in [
      ("list/a", ["list/a-b", "list/a.b", "list/a/c", "list/a0", "list/aa/b/c"]), ("list/a/", ["list/a/c"]),
      ("list/aa/b", ["list/aa/b/c"]), ("list/b", ["list/b"]), ("list/b/", []), ("list/zzz", []), ("list/A ", []),
      ("list/ä", []), ("list/../list/A", []), ("list//", []),
    ] {
      let names = try await names(prefix: prefix)
      try expect(names == expected, "\(prefix) found \(names)")
    }
    let all = try await storage.listAll(prefix: "")
    try expect(all.contains { $0.key == key("list/A") }, "the empty prefix does not find everything")
  }

  private func paging() async throws {
    let names = (0..<options.objectCount).map { "page/\(String(1_000_000 + $0).dropFirst())" }
    try await forEachAtOnce(names) { try await storage.put(key($0), [1]) }
    var seen: [String] = []
    var cursor: ListCursor?
    var firstCursor: ListCursor?
    var firstPageCount = 0
    repeat {
      let page = try await storage.list(prefix: key("page/"), after: cursor)
      seen += page.objects.map(\.key)
      try expect(page.objects.count <= 10_000, "a page holds \(page.objects.count) objects")
      try expect(!page.objects.isEmpty || page.next == nil, "an empty page says that more follow")
      try expect(page.next == nil || page.next != cursor, "a page leads back to itself")
      cursor = page.next
      if firstCursor == nil {
        firstCursor = cursor
        firstPageCount = page.objects.count
      }
    } while cursor != nil
    let expected = names.map { key($0) }
    try expect(seen == expected, "\(expected.count) objects were listed as \(seen.count), \(Set(seen).count) different")
    guard let firstCursor else { return }
    // What a cursor pointed at may be gone by the time it is used.
    try await forEachAtOnce(Array(expected.dropFirst(firstPageCount))) { try await storage.delete($0) }
    let rest = try await storage.list(prefix: key("page/"), after: firstCursor)
    try expect(rest.objects.isEmpty, "\(rest.objects.count) objects are listed after they were removed")
  }
}
