import DimpleMutex
import DimpleStore

/// A database with the numbers from 1, and a function that notes how far a query has been computed.
struct CountedRows {
  let db: Database
  let counter = RowCounter()
  let folder: TemporaryFolder

  /// - Parameter configure: changes how the database is opened.
  init(_ count: Int, inMemory: Bool = false, configure: (inout Configuration) -> Void = { _ in }) throws {
    folder = try TemporaryFolder()
    var configuration = Configuration()
    configuration.functions = [counter.function]
    configure(&configuration)
    db = try Database(
      inMemory ? ":memory:" : folder.path(), configuration: configuration,
      migrations: [Migration("numbers", "CREATE TABLE Number (number INTEGER PRIMARY KEY, label TEXT)")])
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Number VALUES (?, ?)")
      for number in 0..<count { try insert.execute(number + 1, "label \(number + 1)") }
    }
  }
}

extension CountedRows {
  /// The numbers in order, each counted when it is computed.
  static let query: SQL = "SELECT counted(number) AS number, label FROM Number ORDER BY rowid"
}

/// How many rows SQLite has computed; it can fail, or tell, at one of them.
final class RowCounter: Sendable {
  private struct State {
    var count = 0
    var actions: [Int64: @Sendable () throws -> Void] = [:]
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.count } }

  /// Runs the action when the row of that number is computed, on the thread of the statement.
  func onRow(_ number: Int64, _ action: @escaping @Sendable () throws -> Void) {
    state.withLock { $0.actions[number] = action }
  }

  fileprivate var function: SQLFunction {
    SQLFunction("counted", argumentCount: 1, deterministic: false) { arguments in
      let action = self.state.withLock { state in
        state.count += 1
        return try? state.actions[Int64(sqlValue: arguments[0])]
      }
      try action?()
      return arguments[0]
    }
  }
}

/// A row of the table.
struct NumberRow: Decodable, Sendable, Equatable {
  var number: Int
  var label: String
}
