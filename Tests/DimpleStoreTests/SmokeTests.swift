import DimpleStore
import Testing

struct Todo: Entity, Equatable {
  var id = UUIDv7()
  var text: String
  var completed = false
}

@Suite struct SmokeTests {
  @Test func theQuickStartWorks() async throws {
    let db = try Database.inMemory(migrations: [
      Migration("create", "CREATE TABLE Todo (id TEXT PRIMARY KEY, text TEXT NOT NULL, completed BOOLEAN NOT NULL DEFAULT 0)")
    ])
    let todo = try await db.save(Todo(text: "Build"))
    let again = try await db.save(todo)
    #expect(again == todo)
    let n = try await db.execute("UPDATE Todo SET completed = \(true) WHERE id = \(todo.id)")
    #expect(n == 1)
    let open = try await db.query(Todo.self, "SELECT * FROM Todo WHERE completed = \(false)")
    #expect(open.isEmpty)
    let all = try await db.read { try $0.query(Todo.self, "SELECT * FROM Todo") }
    #expect(all == [Todo(id: todo.id, text: "Build", completed: true)])
  }
}
