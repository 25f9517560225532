import DimpleReactive
import DimpleStore

let database = try Database.inMemory(migrations: [Migration("create Note", "CREATE TABLE Note (text TEXT)")])
for try await rows in database.observeRows("SELECT text FROM Note") {
  if let row = rows.first {
    print(try row.get("text") as String)
    break
  }
  try database.execute("INSERT INTO Note VALUES (\("ok"))")
}
