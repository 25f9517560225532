extension ObjectStorage {
  /// Hands the objects under `prefix` to `body` page by page; one page is in memory at a time.
  ///
  /// The far side may be hostile: a listing is read to its end, or refused.
  ///
  /// - Parameters:
  ///   - maximumPages: The most pages asked for: by default 20,000, of S3's pages 20 million objects. Whoever keeps what it is
  ///     given wants less.
  ///   - body: What it throws ends the listing.
  /// - Throws: ``RemoteError/Code/endlessListing`` for more pages, or a page that says to go on where it began; other
  ///   ``RemoteError``s.
  package func forEachPage(
    prefix: String, maximumPages: Int = ListPage.maximumCount, _ body: (ListPage) async throws -> Void
  ) async throws {
    var cursor: ListCursor?
    for _ in 0..<max(0, maximumPages) {
      let page = try await list(prefix: prefix, after: cursor)
      try await body(page)
      guard let next = page.next else { return }
      guard next != cursor else { break }
      cursor = next
    }
    throw RemoteError.endlessListing(prefix)
  }

  /// Every object under `prefix`, all pages joined. For listings known to be small.
  ///
  /// - Throws: ``RemoteError/Code/endlessListing`` for more than 20,000 pages, or a page that says to go on where it began;
  ///   other ``RemoteError``s.
  public func listAll(prefix: String) async throws -> [ObjectInfo] {
    var objects: [ObjectInfo] = []
    try await forEachPage(prefix: prefix) { objects += $0.objects }
    return objects
  }
}

extension ListPage {
  /// The most pages of a listing that are asked for, unless the caller says how many.
  package static var maximumCount: Int { 20_000 }
}
