import DimpleStore
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct BlobTests {
  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write {
      try $0.script(
        """
        CREATE TABLE Attachment (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, data BLOB);
        CREATE INDEX byName ON Attachment (name);
        CREATE TABLE Plain (k TEXT PRIMARY KEY, data BLOB) WITHOUT ROWID;
        CREATE VIEW Seen AS SELECT * FROM Attachment;
        CREATE VIRTUAL TABLE Words USING fts5 (text);
        INSERT INTO Attachment VALUES (1, 'größe', 3, x'0102030405'), (2, NULL, NULL, zeroblob(100)), (3, 'c', 1, NULL);
        """)
    }
  }

  @Test func aBlobIsReadInPieces() throws {
    try db.read { connection in
      let blob = try connection.readBlob(table: "Attachment", column: "data", rowID: 1)
      #expect(blob.count == 5)
      #expect(try blob.read(offset: 1, count: 3) == [2, 3, 4])
      #expect(try blob.read(offset: 3, count: 10) == [4, 5])
      #expect(try blob.read(offset: 5, count: 1) == [])
      var chunks: [[UInt8]] = []
      try blob.forEachChunk(byteCount: 2) { chunks.append(Array($0)) }
      #expect(chunks == [[1, 2], [3, 4], [5]])
      try blob.move(toRowID: 2)
      #expect(blob.count == 100)
      let text = try connection.readBlob(table: "attachment", column: "NAME", rowID: 1)
      #expect(String(decoding: try text.read(offset: 0, count: text.count), as: UTF8.self) == "größe")
    }
  }

  @Test func aBlobIsWrittenInPlaceAndKeepsItsSize() async throws {
    try await db.write { connection in
      try connection.execute("INSERT INTO Attachment (id, data) VALUES (9, \(ZeroBlob(byteCount: 10)))")
      let blob = try connection.writeBlob(table: "Attachment", column: "data", rowID: 9)
      #expect(blob.count == 10)
      try blob.write([1, 2, 3], at: 0)
      try blob.write([9], at: 9)
      #expect(storeError { try blob.write([1, 2], at: 9) }?.code == .tooBig)
      #expect(storeError { try blob.write([], at: 11) }?.code == .tooBig)
      #expect(storeError { try blob.write([1], at: -1) }?.code == .tooBig)
    }
    #expect(
      try await db.queryOne([UInt8].self, "SELECT data FROM Attachment WHERE id = 9") == [1, 2, 3, 0, 0, 0, 0, 0, 0, 9])
  }

  @Test func aSourceIsWrittenToItsEndAndTooMuchLeavesNothing() async throws {
    let written = try await db.writeBlob(table: "Attachment", column: "data", rowID: 1, chunkByteCount: 2) {
      Self.next($0, sent: 0xAA)
    }
    #expect(written == 0)
    let error = await storeError {
      try await db.writeBlob(table: "Attachment", column: "data", rowID: 1, chunkByteCount: 2) {
        $0.initializeMemory(as: UInt8.self, repeating: 7)
        return 2
      }
    }
    #expect(error?.code == .tooBig)
    #expect(error?.hint.isEmpty == false)
    #expect(try await db.queryOne([UInt8].self, "SELECT data FROM Attachment WHERE id = 1") == [1, 2, 3, 4, 5])
  }

  /// A source that has nothing.
  private static func next(_ buffer: UnsafeMutableRawBufferPointer, sent: UInt8) -> Int {
    buffer.initializeMemory(as: UInt8.self, repeating: sent)
    return 0
  }

  @Test func zerosAreBoundByTheirSize() throws {
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Attachment (id, data) VALUES (?, ?)")
      try insert.execute(20, ZeroBlob(byteCount: 7))
      try insert.execute(21, ZeroBlob(byteCount: -1))
      #expect(storeError { try insert.execute(22, ZeroBlob(byteCount: 3_000_000_000)) }?.code == .tooBig)
    }
    #expect(try db.query(Int.self, "SELECT length(data) FROM Attachment WHERE id >= 20 ORDER BY id") == [7, 0])
    #expect(try db.rows("SELECT data FROM Attachment WHERE id = 20").first?[0] == ZeroBlob(byteCount: 7).sqlValue)
    #expect(try ZeroBlob(sqlValue: .blob([0, 0])) == ZeroBlob(byteCount: 2))
    #expect(storeError { _ = try ZeroBlob(sqlValue: .blob([1])) }?.code == .typeMismatch)
  }

  @Test func itIsOfNoUseAfterItsClosure() throws {
    let read = try db.read { try $0.readBlob(table: "Attachment", column: "data", rowID: 1) }
    #expect(storeError { _ = try read.read(offset: 0, count: 1) }?.code == .outsideClosure)
    let written = try db.write { try $0.writeBlob(table: "Attachment", column: "data", rowID: 1) }
    #expect(storeError { try written.write([1], at: 0) }?.code == .outsideClosure)
    // Also while the connection is lent again.
    try db.write { connection in
      #expect(storeError { try written.write([1], at: 0) }?.code == .outsideClosure)
      let blob = try connection.readBlob(table: "Attachment", column: "data", rowID: 1)
      blob.close()
      blob.close()
      #expect(storeError { _ = try blob.read(offset: 0, count: 1) }?.code == .outsideClosure)
    }
    #expect(try db.queryOne([UInt8].self, "SELECT data FROM Attachment WHERE id = 1") == [1, 2, 3, 4, 5])
  }

  @Test func aChangedRowExpiresIt() throws {
    try db.write { connection in
      let updated = try connection.readBlob(table: "Attachment", column: "data", rowID: 1)
      try connection.execute("UPDATE Attachment SET size = 4 WHERE id = 1")
      let error = storeError { _ = try updated.read(offset: 0, count: 1) }
      #expect(error?.code == .blobExpired)
      #expect(error?.hint.isEmpty == false)
      let deleted = try connection.writeBlob(table: "Attachment", column: "data", rowID: 2)
      try connection.execute("DELETE FROM Attachment WHERE id = 2")
      #expect(storeError { try deleted.write([1], at: 0) }?.code == .blobExpired)
    }
    // Nothing of it keeps the transaction from being committed.
    #expect(try db.queryOne(Int.self, "SELECT size FROM Attachment WHERE id = 1") == 4)
  }

  @Test func whatCannotBeOpenedIsTold() throws {
    try db.write { connection in
      func code(_ table: String, _ column: String, _ rowID: Int64) -> StoreError.Code? {
        let error = storeError { _ = try connection.writeBlob(table: table, column: column, rowID: rowID) }
        #expect(error == nil || error?.hint.isEmpty == false)
        return error?.code
      }
      #expect(code("Attachment", "data", 99) == .rowNotFound)
      #expect(code("Attachment", "data", 3) == .typeMismatch)
      #expect(code("Attachment", "size", 1) == .typeMismatch)
      #expect(code("Attachment", "id", 1) == .typeMismatch)
      #expect(code("Attachment", "name", 1) == .notAllowed)
      #expect(code("Attachment", "nothing", 1) == .sqlError)
      #expect(code("Nothing", "data", 1) == .sqlError)
      #expect(code("Plain", "data", 1) == .notAllowed)
      #expect(code("Seen", "data", 1) == .notAllowed)
      #expect(code("Words", "text", 1) == .notAllowed)
      #expect(code("Words_data", "block", 1) == .notAllowed)
      #expect(code("sqlite_schema", "sql", 1) == .notAllowed)
      #expect(code("dimple_migrations", "name", 1) != nil)
      // An indexed column can be read.
      let name = try connection.readBlob(table: "Attachment", column: "name", rowID: 3)
      #expect(name.count == 1)
    }
    let error = storeError {
      try db.read { connection in _ = try connection.writeBlob(table: "Attachment", column: "data", rowID: 1) }
    }
    #expect(error?.code == .readOnly)
  }

  @Test func aRowidStaysOutOfErrors() throws {
    let error = storeError { try db.readBlob(table: "Attachment", column: "data", rowID: 4711) { _ in } }
    #expect(error?.code == .rowNotFound)
    #expect(error?.description.contains("4711") == false)
  }

  @Test func theColumnCountsAsUpdatedUnlessItIsUndone() throws {
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    defer { _ = observation }
    try db.write { try $0.writeBlob(table: "attachment", column: "DATA", rowID: 1).write([7], at: 0) }
    #expect(log.taken().map(\.tables) == [["Attachment": TableChange(updatedColumns: ["data"])]])
    try db.write { connection in
      _ = storeError {
        try connection.savepoint {
          try connection.writeBlob(table: "Attachment", column: "data", rowID: 1).write([8], at: 0)
          throw StoreError(.busy, operation: "", message: "")
        }
      }
    }
    #expect(log.taken().isEmpty)
    #expect(try db.queryOne([UInt8].self, "SELECT data FROM Attachment WHERE id = 1") == [7, 2, 3, 4, 5])
    // Opening alone changes nothing.
    try db.write { _ = try $0.writeBlob(table: "Attachment", column: "data", rowID: 1) }
    #expect(log.taken().isEmpty)
  }

  @Test func aCancelledTaskLeavesTheBlobAsItWas() async throws {
    let db = try Database.temporary()
    try await db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)")
    try await db.execute("INSERT INTO t VALUES (1, \(ZeroBlob(byteCount: 1000)))")
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let gate = Gate()
    let task = Task {
      try await db.writeBlob(table: "t", column: "b", rowID: 1, chunkByteCount: 10) { buffer in
        buffer.initializeMemory(as: UInt8.self, repeating: 1)
        signal.finish()
        gate.wait()
        gate.open()
        return 10
      }
    }
    for await _ in started {}
    task.cancel()
    gate.open()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await db.rows("SELECT b FROM t").first?[0] == ZeroBlob(byteCount: 1000).sqlValue)
    try await db.execute("DELETE FROM t")
  }

  /// In a process of its own, whose memory nothing else uses. DIMPLE_BLOB_MEGABYTES=950 is the most: SQLite's limit is
  /// 10^9 bytes.
  @Test func aLargeBlobIsWrittenAndReadInLittleMemory() throws {
    let folder = try TemporaryFolder()
    let megabytes = ProcessInfo.processInfo.environment["DIMPLE_BLOB_MEGABYTES"] ?? "64"
    let process = Process()
    let output = Pipe()
    process.executableURL = StoreClient.url
    process.arguments = [folder.path(), "blob", megabytes]
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd().map { String(decoding: $0, as: UTF8.self) } ?? ""
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
    #expect(words.first == "ok")
    let grownKibibytes = try #require(words.last.flatMap { Int($0) })
    #expect(grownKibibytes < 16 * 1024)
  }
}
