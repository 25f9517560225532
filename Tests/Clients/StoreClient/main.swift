import DimpleStore

// Links the store and nothing else: opens a database, writes, reads, and says so. With a path as its argument it is also
// the other process of the tests that need one; see Modes.

struct Note: Entity {
  var id = UUIDv7()
  var text: String
}

func writeAndReadANote(_ path: String) throws {
  let db = try Database(path)
  try db.execute("CREATE TABLE IF NOT EXISTS Note (id TEXT PRIMARY KEY, text TEXT NOT NULL)")
  let note = try db.save(Note(text: "from a client"))
  let found = try db.find(Note.self, id: note.id)
  print(found?.text == note.text ? "ok" : "the note was not found")
  try db.close()
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.dropFirst().first {
case "migrate": try Modes.migrate(arguments[0])
case "write":
  let numbers = arguments.dropFirst(2).compactMap { UInt64($0) }
  try Modes.write(arguments[0], seed: numbers.first ?? 0, killAfter: Int(numbers.last ?? 0))
case "blob": try BlobMode.run(arguments[0], megabytes: arguments.dropFirst(2).first.flatMap { Int($0) } ?? 64)
case "outgrow": try OutgrowMode.run(arguments[0])
default: try writeAndReadANote(arguments.first ?? ":memory:")
}
