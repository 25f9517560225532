import DimpleReactive
import DimpleStore
import Testing

@Suite("Live queries of blobs")
struct BlobQueryTests {
  @Test func aBlobThatIsWrittenAsAStreamRefreshesThem() async throws {
    let database = try Database.temporary()
    try await database.execute("CREATE TABLE Attachment (id INTEGER PRIMARY KEY, data BLOB)")
    try await database.execute("INSERT INTO Attachment VALUES (1, \(ZeroBlob(byteCount: 3)))")
    var results = database.observeRows("SELECT data FROM Attachment").makeAsyncIterator()
    #expect(try await results.next()?.first?[0] == .blob([0, 0, 0]))
    try await database.write { try $0.writeBlob(table: "Attachment", column: "data", rowID: 1).write([5], at: 1) }
    #expect(try await results.next()?.first?[0] == .blob([0, 5, 0]))
  }
}
