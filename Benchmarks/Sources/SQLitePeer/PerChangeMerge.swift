import CSQLite
import Samples

/// Merging as the original of this library did: each change of an attribute by itself, beside two tables of text that are asked
/// for the latest change of the attribute, and written to.
extension SQLiteStore {
  package static let perChangeSchema = """
    CREATE TABLE changeTransaction (id TEXT PRIMARY KEY NOT NULL, hlc TEXT NOT NULL);
    CREATE TABLE change (
      id TEXT PRIMARY KEY NOT NULL, transactionID TEXT NOT NULL, tableName TEXT NOT NULL, key TEXT NOT NULL,
      columnName TEXT NOT NULL, value, hlc TEXT NOT NULL);
    CREATE INDEX changeByAttribute ON change (tableName, key, columnName, hlc);
    """

  /// - Returns: How many rows were written.
  package func mergePerChange(_ tracks: [Track], hlc: String) throws -> Int {
    let transaction = try prepare("INSERT INTO changeTransaction VALUES (?, ?)")
    try execute("BEGIN IMMEDIATE")
    bindText(hlc, to: transaction, at: 1)
    bindText(hlc, to: transaction, at: 2)
    try finish(transaction)
    for track in tracks {
      try merge(track, "name", hlc) { bindText(track.name, to: $0, at: $1) }
      try merge(track, "composer", hlc) { bindText(track.composer, to: $0, at: $1) }
      try merge(track, "milliseconds", hlc) { sqlite3_bind_int64($0, $1, Int64(track.milliseconds)) }
      try merge(track, "bytes", hlc) { sqlite3_bind_int64($0, $1, Int64(track.bytes)) }
      try merge(track, "price", hlc) { sqlite3_bind_double($0, $1, track.price) }
    }
    try execute("COMMIT")
    return tracks.count
  }

  private func merge(
    _ track: Track, _ column: String, _ hlc: String, _ bindValue: (OpaquePointer, Int32) -> Void
  ) throws {
    let key = String(track.id)
    let latest = try prepare(
      "SELECT hlc FROM change WHERE tableName = ? AND key = ? AND columnName = ? ORDER BY hlc DESC LIMIT 1")
    bindText("Track", to: latest, at: 1)
    bindText(key, to: latest, at: 2)
    bindText(column, to: latest, at: 3)
    var isNewer = true
    if sqlite3_step(latest) == SQLITE_ROW, let text = sqlite3_column_text(latest, 0) {
      isNewer = String(cString: text) < hlc
    }
    sqlite3_reset(latest)
    let change = try prepare("INSERT INTO change VALUES (hex(randomblob(16)), ?, 'Track', ?, ?, ?, ?)")
    sqlite3_clear_bindings(change)
    bindText(hlc, to: change, at: 1)
    bindText(key, to: change, at: 2)
    bindText(column, to: change, at: 3)
    bindValue(change, 4)
    bindText(hlc, to: change, at: 5)
    try finish(change)
    guard isNewer else { return }
    let row = try prepare(
      "INSERT OR IGNORE INTO Track (id, name, milliseconds, bytes, price) VALUES (?, '', 0, 0, 0)")
    sqlite3_bind_int64(row, 1, track.id)
    try finish(row)
    let update = try prepare("UPDATE Track SET \(column) = ? WHERE id = ?")
    sqlite3_clear_bindings(update)
    bindValue(update, 1)
    sqlite3_bind_int64(update, 2, track.id)
    try finish(update)
  }

  /// All columns of each row, in the order of the keys.
  package func update(_ tracks: [Track]) throws -> Int {
    let statement = try prepare(
      "UPDATE Track SET name = ?, composer = ?, milliseconds = ?, bytes = ?, price = ? WHERE id = ?")
    try execute("BEGIN IMMEDIATE")
    for track in tracks {
      sqlite3_clear_bindings(statement)
      bindText(track.name, to: statement, at: 1)
      bindText(track.composer, to: statement, at: 2)
      sqlite3_bind_int64(statement, 3, Int64(track.milliseconds))
      sqlite3_bind_int64(statement, 4, Int64(track.bytes))
      sqlite3_bind_double(statement, 5, track.price)
      sqlite3_bind_int64(statement, 6, track.id)
      try finish(statement)
    }
    try execute("COMMIT")
    return tracks.count
  }
}
