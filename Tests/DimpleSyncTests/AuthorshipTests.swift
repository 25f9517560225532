import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Who wrote what")
struct AuthorshipTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)")]
  private let storage = MemoryStorage()

  private func replica() throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage, migrations: migrations)
  }

  @Test("Each row and column has an author, and each author a key by which the change can be proven")
  func authors() async throws {
    let (one, two) = (try replica(), try replica())
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await one.engine.sync()
    two.clock.advance(milliseconds: 1000)
    _ = try await two.engine.sync()
    try await two.database.execute("UPDATE Item SET b = 2")
    // Not sent, not folded: known all the same.
    let fresh = try #require(try two.database.authors(of: [.text("x")], in: "Item")?.columns["b"])
    #expect(fresh.replica == two.database.changelog?.replicaID)
    #expect(try await two.engine.proof(of: fresh.stamp) == nil)
    _ = try await two.engine.sync()
    _ = try await one.engine.sync()
    let authors = try #require(try one.database.authors(of: [.text("x")], in: "Item"))
    #expect(authors.inserted?.replica == one.database.changelog?.replicaID)
    #expect(authors.columns["a"]?.stamp == authors.inserted?.stamp)
    let author = try #require(authors.columns["b"])
    #expect(author.stamp == fresh.stamp)
    #expect(author.time.milliseconds == two.clock.milliseconds)
    #expect(author.keyFingerprint?.count == 32)
    let proof = try #require(try await one.engine.proof(of: author.stamp))
    #expect(proof.keyFingerprint == author.keyFingerprint)
    #expect((proof.replica, proof.transaction, proof.table) == (author.replica, 1, "Item"))
    // An object that is not what it was proves nothing.
    try await storage.put(proof.key, Array("something else".utf8))
    #expect(try await one.engine.proof(of: author.stamp) == nil)
    #expect(try one.database.authors(of: [.text("y")], in: "Item") == nil)
  }

  @Test("A table's name may be in any case; what is no table, or no key of it, is refused")
  func namesAndKeys() async throws {
    let (one, two) = (try replica(), try replica())
    let newer = try SimulatedReplica(
      storage: storage,
      migrations: migrations + [Migration("2", "CREATE TABLE Later (id TEXT PRIMARY KEY NOT NULL, a)")])
    try await one.database.execute("INSERT INTO Item VALUES ('x', \(String(repeating: "long ", count: 400_000)), 1)")
    try await newer.database.execute("INSERT INTO Later VALUES ('z', 1)")
    for database in [one, two].map(\.database) {
      let unknown = #expect(throws: ChangelogError.self) { try database.authors(of: [.text("x")], in: "Nothing") }
      #expect(unknown?.code == .unknownTable)
      let wrong = #expect(throws: ChangelogError.self) { try database.authors(of: [], in: "Item") }
      #expect(wrong?.code == .wrongKey)
    }
    #expect(try one.database.authors(of: [.text("x")], in: "item")?.columns.keys.sorted() == ["a", "b"])
    for replica in [one, newer, two] { _ = try await replica.engine.sync() }
    #expect(try two.database.authors(of: [.text("x")], in: "ITEM")?.columns.keys.sorted() == ["a", "b"])
    // Held, as this version does not have the table.
    #expect(try two.database.authors(of: [.text("z")], in: "Later")?.inserted != nil)
  }

  @Test("Replicas are listed with their keys, their last change, and what is here of them")
  func replicas() async throws {
    let (one, two, three) = (try replica(), try replica(), try replica())
    #expect(try await one.engine.replicas().map(\.kind) == [.own])
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await one.engine.sync()
    _ = try await two.engine.sync()
    two.clock.advance(milliseconds: 5000)
    for _ in 0..<2 { try await two.database.execute("UPDATE Item SET b = b + 1") }
    _ = try await two.engine.sync()
    _ = try await three.engine.sync()
    let (first, second) = (
      try #require(one.database.changelog?.replicaID), try #require(two.database.changelog?.replicaID)
    )
    let known = try await three.engine.replicas()
    #expect(known.filter { $0.kind == .other }.map(\.id) == [first, second].sorted())
    let seen = try #require(known.first { $0.id == second })
    #expect(seen.transactions == [1...2])
    #expect(seen.lastChange?.milliseconds == two.clock.milliseconds)
    #expect(seen.sees == [first: [1...1]])
    #expect(seen.keyFingerprint?.count == 32)
    let own = try #require(try await two.engine.replicas().first { $0.kind == .own })
    #expect(own.transactions == [1...2])
    #expect(own.keyFingerprint == seen.keyFingerprint)
  }
}
