import DimpleChangelog
import DimpleStore

let database = try Database.inMemory(
  configuration: Configuration().tracking(),
  migrations: [Migration("create Note", "CREATE TABLE Note (id INTEGER PRIMARY KEY, text TEXT)")])
try database.execute("INSERT INTO Note (text) VALUES (\("ok"))")
for change in try database.changelog?.changes(in: database) ?? [] {
  if case .text(let text) = change.columns[0].value { print(text) }
}
