// README's quick start, compiled and run. What stands between `snippet` and `end` is what README shows.

// snippet: model
import DimpleDb

struct Todo: Entity {  // Codable, Identifiable, Sendable; the table is "Todo"
  var id = UUIDv7()
  var text: String
  var completed = false
}
// end

@main
struct QuickStart {
  static func main() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let phone = try open("\(folder.path)/phone.db")
    let laptop = try open("\(folder.path)/laptop.db")

    try await write(phone)
    try await observe(phone)

    // A folder stands in for the bucket, so that the example runs anywhere.
    let vault = Remote.directory("\(folder.path)/vault")
    for device in [phone, laptop] { try await sync(device, vault) }
    await syncInBackground(SyncEngine(laptop, remote: vault, encryption: .passphrase("correct horse battery staple")))
    let todos = try await laptop.query(Todo.self, "SELECT * FROM Todo ORDER BY text")
    print("The laptop has:", todos.map(\.text))
    precondition(todos.count == 2)
  }

  static func open(_ path: String) throws -> Database {
    // snippet: open
    let db = try Database.open(
      path,
      migrations: [
        Migration(
          "create Todo",
          "CREATE TABLE Todo (id TEXT PRIMARY KEY, text TEXT NOT NULL, completed BOOLEAN NOT NULL DEFAULT 0)")
      ])
    // end
    return db
  }

  static func write(_ db: Database) async throws {
    // snippet: write
    let todo = try await db.save(Todo(text: "Build cool app"))  // insert or update; tracked
    try await db.execute("UPDATE Todo SET completed = \(true) WHERE id = \(todo.id)")  // so is plain SQL
    let open = try await db.query(Todo.self, "SELECT * FROM Todo WHERE completed = \(false)")
    // end
    precondition(open.isEmpty)
  }

  static func observe(_ db: Database) async throws {
    let saving = Task { try await db.save(Todo(text: "Tell a friend")) }
    // snippet: observe
    for try await todos in db.observe(Todo.self, "SELECT * FROM Todo ORDER BY text") {
      print("Now:", todos.map(\.text))  // the result at once, then again after every commit that changes it
      if todos.count == 2 { break }
    }
    // end
    _ = try await saving.value
  }

  static func sync(_ db: Database, _ remote: Remote) async throws {
    // snippet: sync
    let sync = SyncEngine(db, remote: remote, encryption: .passphrase("correct horse battery staple"))
    let report = try await sync.sync()  // what was pushed, pulled, merged, held
    // end
    try await explain(sync, report)
    print("Sent \(report.pushedTransactions) transactions, took in \(report.pulledTransactions).")
  }

  static func syncInBackground(_ sync: SyncEngine) async {
    // snippet: background
    let background = sync.start(every: .seconds(60))  // at once, soon after each commit, each minute; until let go
    for await case .finished(let report) in background.events {  // .started, .progress, .failed … tell the rest
      print("Up to date:", report.changedRows, "rows changed")
      break
    }
    // end
    await background.stop()
  }

  static func explain(_ sync: SyncEngine, _ report: SyncReport) async throws {
    // snippet: conflicts
    for conflict in report.conflicts {  // two devices wrote one column; the later write shows, and none is lost unseen
      print(conflict.table, conflict.key, conflict.column, conflict.kept, conflict.lost)  // values, authors, times
    }
    for row in try await sync.held() {  // what cannot stand in its table, and what would help
      print(row.table, row.key, row.reason, row.reason.hint)
    }
    // end
  }

  /// For README; what it makes is not used here, as there is no such bucket.
  static func bucket(accessKey: String, secretKey: String) -> Remote {
    // snippet: bucket
    let remote = Remote.s3(
      endpoint: "https://s3.example.com", bucket: "todos", region: "us-east-1", accessKey: accessKey,
      secretKey: secretKey)
    // end
    return remote
  }
}
