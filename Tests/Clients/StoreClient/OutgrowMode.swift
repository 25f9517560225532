import ClientSupport
import DimpleStore

/// Writes until the system refuses, as a failing disk would, then with room enough again. Says the error's code, and how many
/// transactions were committed before and in the end.
enum OutgrowMode {
  static func run(_ path: String) throws {
    let db = try Database(
      path,
      migrations: [Migration("schema", "CREATE TABLE batch (number INTEGER); CREATE TABLE filler (x BLOB)")])
    try FileLimit.set(400_000)
    var committed = 0
    var code: StoreError.Code?
    while code == nil {
      do {
        try write(committed + 1, to: db)
        committed += 1
      } catch let error as StoreError { code = error.code }
    }
    try FileLimit.set(nil)
    try write(committed + 1, to: db)
    print(code.map { "\($0)" } ?? "", committed, try db.count("SELECT * FROM batch"))
    try db.close()
  }

  private static func write(_ number: Int, to db: Database) throws {
    try db.write { connection in
      try connection.execute("INSERT INTO batch VALUES (\(number))")
      for _ in 0..<10 { try connection.execute("INSERT INTO filler VALUES (randomblob(3000))") }
    }
  }
}
