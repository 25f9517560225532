internal import DimpleChangelog
internal import DimpleStore

/// `dimple_unlisted`: what should be in the vault and was not in the last listing.
struct UnlistedTable {
  let vault: String
  let connection: Connection

  func load() throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare("SELECT replica, first, last FROM dimple_unlisted WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    return try statement.vector()
  }

  func replace(by missing: [ReplicaID: RangeSet64]) throws {
    try connection.prepare("DELETE FROM dimple_unlisted WHERE vault = ?").run(.text(vault))
    let insert = try connection.prepare(
      "INSERT INTO dimple_unlisted(vault, replica, first, last) VALUES (?, ?, ?, ?)")
    for (replica, numbers) in missing {
      for range in numbers.ranges {
        try insert.run(.text(vault), replica.sqlValue, .integer(range.lowerBound), .integer(range.upperBound))
      }
    }
  }
}
