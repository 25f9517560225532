import DimpleStore
import Samples

/// Made from a row by hand.
struct RowTrack: RowDecodable {
  let track: Track

  init(row: borrowing RowReader) throws {
    track = Track(
      id: try row[0], name: try row[1], composer: try row[2], milliseconds: try row[3], bytes: try row[4],
      price: try row[5])
  }
}

/// A hundred thousand rows of six columns, into structs.
struct TrackFetching {
  private let stores: Stores<Track>

  init(_ stores: Stores<Track>) { self.stores = stores }

  var all: [Benchmark] { [byInitialiser, asTuples, byCodable] }

  private var byInitialiser: Benchmark {
    Benchmark(
      name: "fetch 6 columns by init(row:)", unit: "row", count: stores.rows.count, bars: ["SQLite": 1.15],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(RowTrack.self, "SELECT * FROM Track") }
          .sum { $0.track.checksum }
      } sqlite: { [stores] in
        try stores.sqlite.fetchTracks()
      } grdb: { [stores] in
        try stores.grdb.fetchTracksFromRows()
      })
  }

  private var asTuples: Benchmark {
    Benchmark(
      name: "fetch 6 columns as tuples", unit: "row", count: stores.rows.count, bars: ["SQLite": 1.15],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(TrackTuple.self, "SELECT * FROM Track") }.sum(checksum)
      } sqlite: { [stores] in
        try stores.sqlite.fetchTrackTuples()
      } grdb: { [stores] in
        try stores.grdb.fetchTracksFromRows()
      })
  }

  private var byCodable: Benchmark {
    Benchmark(
      name: "fetch 6 columns by Codable", unit: "row", count: stores.rows.count, bars: ["SQLite": 2, "GRDB": 0.333],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(Track.self, "SELECT * FROM Track") }.checksum
      } sqlite: { [stores] in
        try stores.sqlite.fetchTracks()
      } grdb: { [stores] in
        try stores.grdb.fetchTracks()
      })
  }
}
