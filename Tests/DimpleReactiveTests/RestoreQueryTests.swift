import DimpleReactive
import DimpleStore
import Foundation
import Testing

@Suite("Live queries of a restored database")
struct RestoreQueryTests {
  @Test func aRestoredBackupRefreshesThem() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("dimple-\(UUID().uuidString).db").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let database = try Database.temporary()
    try await database.execute("CREATE TABLE T (n INTEGER)")
    try await database.execute("INSERT INTO T VALUES (1)")
    try await database.backup(to: path)
    try await database.execute("INSERT INTO T VALUES (2)")
    var results = database.observe(Int.self, "SELECT n FROM T ORDER BY n").makeAsyncIterator()
    #expect(try await results.next() == [1, 2])
    try await database.restore(from: path)
    #expect(try await results.next() == [1])
    try await database.execute("INSERT INTO T VALUES (3)")
    #expect(try await results.next() == [1, 3])
  }
}
