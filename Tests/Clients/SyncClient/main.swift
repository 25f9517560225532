import DimpleChangelog
import DimpleStore
import DimpleSync

let database = try Database.inMemory(
  configuration: Configuration().tracking(),
  migrations: [Migration("create Note", "CREATE TABLE Note (id INTEGER PRIMARY KEY, text TEXT)")])
let fingerprint = try database.fingerprint()
precondition(fingerprint.tables.map(\.name) == ["Note"])
print("ok")
