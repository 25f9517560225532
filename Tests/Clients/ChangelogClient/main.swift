import DimpleChangelog
import DimpleStore

// Links tracking and nothing above it: opens a database, writes, reads its log, and says so. With arguments it is also the
// other process of the tests that need one; see Modes.

func writeAndReadTheLog() throws {
  let database = try Database.inMemory(
    configuration: Configuration().tracking(),
    migrations: [Migration("create Note", "CREATE TABLE Note (id INTEGER PRIMARY KEY, text TEXT)")])
  try database.execute("INSERT INTO Note (text) VALUES (\("ok"))")
  for change in try database.changelog?.changes(in: database) ?? [] {
    if case .text(let text) = change.columns[0].value { print(text) }
  }
}

let arguments = Array(CommandLine.arguments.dropFirst())
let numbers = arguments.dropFirst(2).map { UInt64($0) ?? 0 }
switch arguments.first {
case "write", "trim":
  try Modes.write(arguments[1], seed: numbers[0], killAfter: Int(numbers[1]), trims: arguments[0] == "trim")
case "hammer": try Modes.hammer(arguments[1], seed: numbers[0], count: Int(numbers[1]))
case "outgrow": try OutgrowMode.run(arguments[1], limit: numbers[0], spills: numbers[1] == 1)
default: try writeAndReadTheLog()
}
