import DimpleStore

let database = try Database.inMemory(migrations: [Migration("create Note", "CREATE TABLE Note (text TEXT)")])
try database.execute("INSERT INTO Note VALUES (\("ok"))")
for row in try database.rows("SELECT text FROM Note") { print(try row.get("text") as String) }
