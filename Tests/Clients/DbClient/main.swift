import DimpleDb

struct Note: Entity {
  var id = UUIDv7()
  var text: String
}

let database = try Database.openInMemory(
  migrations: [Migration("create Note", "CREATE TABLE Note (id TEXT PRIMARY KEY, text TEXT NOT NULL)")])
try database.save(Note(text: "ok"))
let engine = SyncEngine(database, remote: .memory, encryption: .none)
let report = try await engine.sync()
precondition(report.pushedTransactions == 1)
for note in try database.query(Note.self, "SELECT * FROM Note") { print(note.text) }
