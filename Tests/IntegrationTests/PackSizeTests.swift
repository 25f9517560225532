import DimpleDb
import DimpleTestSupport
import Foundation
import Testing

/// How much a change costs in the bucket.
@Suite("Size of packs")
struct PackSizeTests {
  /// Rows have UUIDs for keys, as where several devices make them; each update is a commit of its own, as an app makes them,
  /// in a pack of 1,000.
  @Test(arguments: ["done", "text"]) func anUpdateOfOneColumnCostsAtMost60Bytes(column: String) async throws {
    let database = try Database.openInMemory(migrations: [
      Migration("1", "CREATE TABLE Todo (id TEXT PRIMARY KEY NOT NULL, text TEXT, done INTEGER NOT NULL DEFAULT 0)")
    ])
    let keys = (0..<1000).map { _ in UUID().uuidString.lowercased() }
    try await database.write { connection in
      for key in keys { try connection.execute("INSERT INTO Todo (id) VALUES (\(key))") }
    }
    let remote = Remote.memory
    let engine = SyncEngine(database, remote: remote, encryption: .passphrase("p"))
    _ = try await engine.sync()
    for (index, key) in keys.shuffled().enumerated() {
      if column == "done" {
        try await database.execute("UPDATE Todo SET done = 1 WHERE id = \(key)")
      } else {
        try await database.execute("UPDATE Todo SET text = \("Buy \(index) litres of milk") WHERE id = \(key)")
      }
    }
    let report = try await engine.sync()
    #expect(report.pushedPacks == 1)
    #expect(report.pushedTransactions == 1000)
    let perUpdate = Double(report.traffic.bytesSent) / 1000
    print("An update of one column (\(column)) costs \(perUpdate) bytes in the bucket.")
    #expect(perUpdate <= 60)
  }
}
