// docs/HISTORY.md, compiled and run. What stands between `snippet` and `end` is what the page shows.

import DimpleDb
import ExampleSupport
import Foundation

struct Todo: Entity, Equatable {
  var id = UUIDv7()
  var text: String
  var completed = false
}

@main
struct HistoryTour {
  static func main() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let db = try Database.open(
      "\(folder.path)/todos.db",
      migrations: [
        Migration(
          "create Todo", "CREATE TABLE Todo (id TEXT PRIMARY KEY, text TEXT NOT NULL, completed BOOLEAN NOT NULL)")
      ])
    guard let changelog = db.changelog else { return }
    try await changes(db, changelog)
    try await past(db, changelog)
    try await undo(db, changelog)
    try await db.close()
    try await retention("\(folder.path)/todos.db")
    print("The tour of history is through.")
  }

  static func changes(_ db: Database, _ changelog: Changelog) async throws {
    try await db.save(contentsOf: [Todo(text: "Read"), Todo(text: "Write")])
    try await db.execute("UPDATE Todo SET completed = \(true) WHERE text = \("Read")")
    var lastSeen: Int64 = 0
    // snippet: changes
    let filter = ChangeFilter(tables: ["Todo"], columns: ["completed"])
    let latest = try await changelog.changes(matching: filter, order: .newestFirst, limit: 20)

    for try await transaction in changelog.follow(after: lastSeen) {
      for change in transaction.changes { print(change.stamp.uuid, change.operation, change.table, change.key) }
      lastSeen = transaction.number  // to go on from, after a restart
      if lastSeen == 2 { break }
    }
    // end
    precondition(latest.count == 3 && lastSeen == 2)
  }

  static func past(_ db: Database, _ changelog: Changelog) async throws {
    let todo = try await db.save(Todo(text: "Draft"))
    try await db.execute("UPDATE Todo SET text = \("Final") WHERE id = \(todo.id)")
    try await db.delete(todo)
    // snippet: row
    let versions = try await changelog.history(of: Todo.self, id: todo.id)
    for version in versions {
      print(version.version.author, version.version.operation, version.value?.text ?? "unknown or deleted")
    }
    // end
    precondition(versions.count == 3)

    // snippet: past
    let past = try await db.asOf(.transaction(2))  // or .time(yesterday), or .change(stamp)
    let todos = try await past.query(Todo.self, "SELECT * FROM Todo ORDER BY text")
    // end
    precondition(todos.map(\.text) == ["Read", "Write"] && todos[0].completed)
  }

  static func retention(_ path: String) async throws {
    // snippet: retention
    var options = Changelog.Options()
    options.retention = .duration(.seconds(30 * 86_400))  // or .all, or .minimal: what sync needs
    let db = try Database.open(path, tracking: options)

    let removed = try await db.changelog?.trim()  // at once; it is done by itself, too
    print(removed?.removedBytes ?? 0, "bytes removed;", try await db.changelog?.statistics().logBytes ?? 0, "left")
    // end
    precondition(removed?.firstTransaction == 1)
  }

  static func undo(_ db: Database, _ changelog: Changelog) async throws {
    let before = try await db.query(Todo.self, "SELECT * FROM Todo ORDER BY id")
    // snippet: undo
    let undo = try UndoStack(db)  // one for each window, say; it remembers 100 steps
    try await undo.write("Complete All") { try $0.execute("UPDATE Todo SET completed = TRUE") }

    undo.begin("Import")  // what is written through it until `end` is one step
    for text in ["One", "Two"] { _ = try await undo.write("Add") { try $0.save(Todo(text: text)) } }
    undo.end()

    print(undo.undoName ?? "")  // "Import", for the menu
    try await undo.undo()  // both are gone
    try await undo.undo()  // and nothing is completed that was not
    try await undo.redo()
    // end
    try await undo.undo()
    let after = try await db.query(Todo.self, "SELECT * FROM Todo ORDER BY id")
    precondition(after == before)
  }
}
