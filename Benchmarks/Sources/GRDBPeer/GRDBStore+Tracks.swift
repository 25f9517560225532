import GRDB
import Samples

extension Track: FetchableRecord, PersistableRecord {}

/// Made from a row by hand, by position: GRDB's fastest way.
private struct RowTrack: FetchableRecord {
  let track: Track

  init(row: Row) {
    track = Track(id: row[0], name: row[1], composer: row[2], milliseconds: row[3], bytes: row[4], price: row[5])
  }
}

extension GRDBStore {
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
      let statement = try database.makeStatement(sql: Track.insertSQL)
      for track in tracks { try statement.execute(arguments: arguments(track)) }
    }
    return tracks.count
  }

  package func insertBySQL(_ tracks: [Track]) throws -> Int {
    try pool.write { database in
      for track in tracks { try database.execute(sql: Track.insertSQL, arguments: arguments(track)) }
      return tracks.count
    }
  }

  /// A transaction each.
  package func insertOneByOneBySQL(_ tracks: [Track]) throws -> Int {
    for track in tracks { try pool.write { try $0.execute(sql: Track.insertSQL, arguments: arguments(track)) } }
    return tracks.count
  }

  /// A transaction each.
  package func insertOneByOneBySQLAsync(_ tracks: [Track]) async throws -> Int {
    for track in tracks {
      try await pool.write { try $0.execute(sql: Track.insertSQL, arguments: arguments(track)) }
    }
    return tracks.count
  }

  package func fetchTracks() throws -> Int { try pool.read { try Track.fetchAll($0) }.checksum }

  package func fetchTracksFromRows() throws -> Int {
    try pool.read { try RowTrack.fetchAll($0, sql: Track.selectSQL) }.sum { $0.track.checksum }
  }

  package func fetch(keys: [Int64]) throws -> Int {
    var checksum = 0
    for key in keys { checksum &+= try pool.read { try Track.fetchOne($0, key: key) }?.checksum ?? 0 }
    return checksum
  }

  package func fetchBySQL(keys: [Int64]) throws -> Int {
    var checksum = 0
    for key in keys {
      checksum &+=
        try pool.read { try Track.fetchOne($0, sql: Track.selectOneSQL, arguments: [key]) }?.checksum ?? 0
    }
    return checksum
  }

  package func fetchBySQLInOneRead(keys: [Int64]) throws -> Int {
    try pool.read { database in
      try keys.reduce(0) {
        $0 &+ (try Track.fetchOne(database, sql: Track.selectOneSQL, arguments: [$1])?.checksum ?? 0)
      }
    }
  }

  package func fetchPrepared(keys: [Int64]) throws -> Int {
    var checksum = 0
    for key in keys {
      checksum &+=
        try pool.read { database in
          try Track.fetchOne(database.cachedStatement(sql: Track.selectOneSQL), arguments: [key])
        }?.checksum ?? 0
    }
    return checksum
  }

  package func fetchPreparedInOneRead(keys: [Int64]) throws -> Int {
    try pool.read { database in
      let statement = try database.makeStatement(sql: Track.selectOneSQL)
      return try keys.reduce(0) { $0 &+ (try Track.fetchOne(statement, arguments: [$1])?.checksum ?? 0) }
    }
  }

  /// The tracks from one key to another, in a read of their own.
  package func fetch(from first: Int64, to last: Int64) throws -> Int {
    try pool.read { try Self.fetch($0, from: first, to: last) }
  }

  /// The tracks from one key to another, in a read of their own.
  package func fetchAsync(from first: Int64, to last: Int64) async throws -> Int {
    try await pool.read { try Self.fetch($0, from: first, to: last) }
  }

  private static func fetch(_ database: Database, from first: Int64, to last: Int64) throws -> Int {
    let statement = try database.cachedStatement(sql: Track.selectRangeSQL)
    return try RowTrack.fetchAll(statement, arguments: [first, last]).sum { $0.track.checksum }
  }
}

private func arguments(_ track: Track) -> StatementArguments {
  [track.id, track.name, track.composer, track.milliseconds, track.bytes, track.price]
}
