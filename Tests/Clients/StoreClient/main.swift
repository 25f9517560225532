import DimpleStore

// Links the store and nothing else: opens a database, writes, reads, and says so. With a path as its argument it is also
// the other process of the tests that need one.

struct Note: Entity {
  var id = UUIDv7()
  var text: String
}

let arguments = CommandLine.arguments.dropFirst()
let db = try Database(arguments.first ?? ":memory:")
try db.execute("CREATE TABLE IF NOT EXISTS Note (id TEXT PRIMARY KEY, text TEXT NOT NULL)")
let note = try db.save(Note(text: "from a client"))
let found = try db.find(Note.self, id: note.id)
print(found?.text == note.text ? "ok" : "the note was not found")
try db.close()
