import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleChangelog

@Suite("Reading the log without its large values")
struct LargeValueReadingTests {
  /// Rows of every form: single changes and runs, keys that change, old values of what is referred to.
  private func database() throws -> TrackedDatabase {
    let tracked = try TrackedDatabase(
      """
      CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL, a, b);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(id) ON UPDATE CASCADE, x, y);
      """)
    let long = String(repeating: "long ", count: 10)
    let blob = SQLValue.blob([UInt8](repeating: 7, count: 40))
    let database = tracked.database
    try database.write { try $0.execute("INSERT INTO Parent VALUES ('single', \(long), 1)") }
    try database.write { connection in
      try connection.execute("INSERT INTO Parent VALUES ('one', 1, \(blob))")
      try connection.execute("INSERT INTO Parent VALUES (\(long), \(blob), \(long))")
      try connection.execute("INSERT INTO Child VALUES ('c', 'one', \(blob), 'short')")
      try connection.execute("UPDATE Parent SET a = \(SQLValue.invalidText([UInt8](repeating: 0xFF, count: 33)))")
      try connection.execute("UPDATE Parent SET id = 'two', b = \(long) WHERE id = 'one'")
    }
    try database.write { try $0.execute("UPDATE Parent SET id = 'three' WHERE id = 'single'") }
    try database.write { try $0.execute("DELETE FROM Child") }
    try database.write { try $0.execute("DELETE FROM Parent") }
    return tracked
  }

  @Test("What is left is where the transaction says, and nothing else is left", arguments: [0, 8, 39, 1000])
  func sameAsWhole(threshold: Int) throws {
    let tracked = try database()
    let changelog = try tracked.changelog
    try tracked.database.read { connection in
      var whole: [[Change]] = []
      try changelog.transactions(connection, after: 0) {
        whole.append($0.changes)
        return true
      }
      var read: [[Change]] = []
      var (seen, left) = (Set<LargeValue>(), 0)
      try changelog.transactions(connection, after: 0, leavingLongerThan: threshold) { value, bytes in
        #expect(bytes.count == value.count && value.count > threshold)
        seen.insert(value)
      } _: { local in
        var changes = local.changes
        for column in local.large {
          #expect(seen.contains(column.value))
          let bytes = try column.value.bytes(from: 0, count: .max, connection)
          let text = String(validating: bytes, as: UTF8.self).map(SQLValue.text) ?? .invalidText(bytes)
          let value = column.value.isText ? text : .blob(bytes)
          changes[column.change].columns.append(ColumnValue(name: column.name, value: value))
          left += 1
        }
        read.append(changes)
        return true
      }
      func sorted(_ changes: [[Change]]) -> [[Change]] {
        changes.map { changes in
          changes.map { change in
            var change = change
            change.columns.sort { $0.name < $1.name }
            return change
          }
        }
      }
      #expect(sorted(read) == sorted(whole))
      #expect(left == seen.count)
      #expect((left > 0) == (threshold < 1000))
    }
  }
}
