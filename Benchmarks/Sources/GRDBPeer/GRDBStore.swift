import GRDB
import Music

extension Track: FetchableRecord, PersistableRecord {}

/// The same jobs as GRDB's documentation does them: records, Codable, a pool.
package final class GRDBStore: Sendable {
  let pool: DatabasePool

  package init(path: String) throws {
    pool = try DatabasePool(path: path)
    try pool.write { try $0.execute(sql: Track.createTable) }
  }

  package func execute(_ sql: String) throws { try pool.write { try $0.execute(sql: sql) } }

  package func insert(_ tracks: [Track]) throws -> Int {
    try pool.write { database in
      for track in tracks { try track.insert(database) }
      return tracks.count
    }
  }

  package func insertOneByOne(_ tracks: [Track]) throws -> Int {
    for track in tracks { try pool.write { try track.insert($0) } }
    return tracks.count
  }

  package func insertOneByOneAsync(_ tracks: [Track]) async throws -> Int {
    for track in tracks { try await pool.write { try track.insert($0) } }
    return tracks.count
  }

  package func insertPrepared(_ tracks: [Track]) throws -> Int {
    try pool.write { database in
      let statement = try database.makeStatement(sql: "INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)")
      for track in tracks {
        try statement.execute(arguments: [
          track.id, track.name, track.composer, track.milliseconds, track.bytes, track.price,
        ])
      }
    }
    return tracks.count
  }

  package func insertBySQL(_ tracks: [Track]) throws -> Int {
    try pool.write { database in
      for track in tracks {
        try database.execute(
          sql: "INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)",
          arguments: [track.id, track.name, track.composer, track.milliseconds, track.bytes, track.price])
      }
      return tracks.count
    }
  }

  package func fetchAll() throws -> Int {
    try pool.read { try Track.fetchAll($0) }.reduce(0) { $0 &+ $1.checksum }
  }

  package func fetchAllFromRows() throws -> Int {
    try pool.read { try RowTrack.fetchAll($0, sql: "SELECT * FROM Track") }.reduce(0) { $0 &+ $1.track.checksum }
  }

  package func fetch(keys: [Int64]) throws -> Int {
    var checksum = 0
    for key in keys { checksum &+= try pool.read { try Track.fetchOne($0, key: key) }?.checksum ?? 0 }
    return checksum
  }

  package func fetchInOneRead(keys: [Int64]) throws -> Int {
    try pool.read { database in
      try keys.reduce(0) { checksum, key in checksum &+ (try Track.fetchOne(database, key: key)?.checksum ?? 0) }
    }
  }
}

/// Made from a row by hand, by position: GRDB's fastest way.
private struct RowTrack: FetchableRecord {
  let track: Track

  init(row: Row) {
    track = Track(id: row[0], name: row[1], composer: row[2], milliseconds: row[3], bytes: row[4], price: row[5])
  }
}
