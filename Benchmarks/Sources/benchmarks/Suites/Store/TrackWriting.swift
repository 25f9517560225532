import DimpleStore
import Samples

/// Inserting, in one transaction and in one each.
struct TrackWriting {
  private let stores: Stores<Track>
  private let tracks: [Track]
  /// For what takes GRDB a second.
  private let fewer: [Track]
  /// For a transaction each.
  private let few: [Track]

  init(_ stores: Stores<Track>, _ size: Size) {
    self.stores = stores
    tracks = stores.rows
    fewer = Array(tracks.prefix(size(20_000)))
    few = Array(tracks.prefix(size(500)))
  }

  var all: [Benchmark] {
    [
      insert, insertMany, insertPrepared, insertBySQL, commit, asyncCommit, commitBySQL, asyncCommitBySQL, update,
      asyncUpdate,
    ]
  }

  private var insert: Benchmark {
    Benchmark(
      name: "insert structs, one transaction", unit: "row", count: fewer.count,
      contenders: stores.contenders(on: .nothing) { [stores, fewer] in
        try stores.ours.write { connection in for track in fewer { try connection.insert(track) } }
        return fewer.count
      } sqlite: { [stores, fewer] in
        try stores.sqlite.insert(fewer)
      } grdb: { [stores, fewer] in
        try stores.grdb.insert(fewer)
      })
  }

  private var insertMany: Benchmark {
    Benchmark(
      name: "insert structs, all at once", unit: "row", count: fewer.count,
      contenders: stores.contenders(on: .nothing) { [stores, fewer] in
        try stores.ours.write { try $0.insert(contentsOf: fewer) }
        return fewer.count
      } sqlite: { [stores, fewer] in
        try stores.sqlite.insert(fewer)
      } grdb: { [stores, fewer] in
        try stores.grdb.insert(fewer)
      })
  }

  private var insertPrepared: Benchmark {
    Benchmark(
      name: "insert prepared, one transaction", unit: "row", count: tracks.count, bars: ["SQLite": 1.25, "GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, tracks] in
        try stores.ours.write { connection in
          let insert = try connection.prepared("\(raw: Track.insertSQL)")
          for track in tracks {
            try insert.execute(track.id, track.name, track.composer, track.milliseconds, track.bytes, track.price)
          }
        }
        return tracks.count
      } sqlite: { [stores, tracks] in
        try stores.sqlite.insert(tracks)
      } grdb: { [stores, tracks] in
        try stores.grdb.insertPrepared(tracks)
      })
  }

  private var insertBySQL: Benchmark {
    Benchmark(
      name: "insert by SQL, one transaction", unit: "row", count: fewer.count,
      contenders: stores.contenders(on: .nothing) { [stores, fewer] in
        try stores.ours.write { connection in for track in fewer { try connection.execute(insertion(of: track)) } }
        return fewer.count
      } sqlite: { [stores, fewer] in
        try stores.sqlite.insert(fewer)
      } grdb: { [stores, fewer] in
        try stores.grdb.insertBySQL(fewer)
      })
  }

  private var commit: Benchmark {
    Benchmark(
      name: "insert a struct, a transaction each", unit: "commit", count: few.count,
      contenders: stores.contenders(on: .nothing) { [stores, few] in
        try insertOneByOne(few, into: stores.ours)
      } sqlite: { [stores, few] in
        try stores.sqlite.insertOneByOne(few)
      } grdb: { [stores, few] in
        try stores.grdb.insertOneByOne(few)
      })
  }

  private var asyncCommit: Benchmark {
    Benchmark(
      name: "insert a struct, a transaction each, async", unit: "commit", count: few.count, bars: ["GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, few] in
        for track in few { try await stores.ours.insert(track) }
        return few.count
      } sqlite: { [stores, few] in
        try stores.sqlite.insertOneByOne(few)
      } grdb: { [stores, few] in
        try await stores.grdb.insertOneByOneAsync(few)
      })
  }

  private var commitBySQL: Benchmark {
    Benchmark(
      name: "insert by SQL, a transaction each", unit: "commit", count: few.count, bars: ["SQLite": 1.3, "GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, few] in
        try insertOneByOneBySQL(few, into: stores.ours)
      } sqlite: { [stores, few] in
        try stores.sqlite.insertOneByOne(few)
      } grdb: { [stores, few] in
        try stores.grdb.insertOneByOneBySQL(few)
      })
  }

  private var asyncCommitBySQL: Benchmark {
    Benchmark(
      name: "insert by SQL, a transaction each, async", unit: "commit", count: few.count,
      bars: ["SQLite": 1.3, "GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, few] in
        for track in few { try await stores.ours.execute(insertion(of: track)) }
        return few.count
      } sqlite: { [stores, few] in
        try stores.sqlite.insertOneByOne(few)
      } grdb: { [stores, few] in
        try await stores.grdb.insertOneByOneBySQLAsync(few)
      })
  }

  private var update: Benchmark {
    Benchmark(
      name: "update a row, a transaction each", unit: "commit", count: few.count, bars: ["SQLite": 1.3, "GRDB": 1],
      contenders: stores.contenders(on: .allRows) { [stores, few] in
        try updateOneByOne(few, in: stores.ours)
      } sqlite: { [stores, few] in
        try stores.sqlite.writeEachKey(few.map(\.id), updateSQL)
      } grdb: { [stores, few] in
        try stores.grdb.writeEachKey(few.map(\.id), updateSQL)
      })
  }

  private var asyncUpdate: Benchmark {
    Benchmark(
      name: "update a row, a transaction each, async", unit: "commit", count: few.count,
      bars: ["SQLite": 1.3, "GRDB": 1],
      contenders: stores.contenders(on: .allRows) { [stores, few] in
        for track in few {
          try await stores.ours.execute("UPDATE Track SET price = price + 0.01 WHERE id = \(track.id)")
        }
        return few.count
      } sqlite: { [stores, few] in
        try stores.sqlite.writeEachKey(few.map(\.id), updateSQL)
      } grdb: { [stores, few] in
        try await stores.grdb.writeEachKeyAsync(few.map(\.id), updateSQL)
      })
  }
}

private let updateSQL = "UPDATE Track SET price = price + 0.01 WHERE id = ?"

private func insertion(of track: Track) -> SQL {
  """
  INSERT INTO Track VALUES (\(track.id), \(track.name), \(track.composer), \(track.milliseconds), \(track.bytes), \
  \(track.price))
  """
}

// Functions that do not suspend: in a closure that could, the forms that do would be meant.

private func insertOneByOne(_ tracks: [Track], into database: Database) throws -> Int {
  for track in tracks { try database.insert(track) }
  return tracks.count
}

private func insertOneByOneBySQL(_ tracks: [Track], into database: Database) throws -> Int {
  for track in tracks { try database.execute(insertion(of: track)) }
  return tracks.count
}

private func updateOneByOne(_ tracks: [Track], in database: Database) throws -> Int {
  for track in tracks { try database.execute("UPDATE Track SET price = price + 0.01 WHERE id = \(track.id)") }
  return tracks.count
}
