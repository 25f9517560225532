import DimpleStore
import Testing

/// Joins, decoded into several structs by the prefixes of their columns.
@Suite struct NestedRowsTests {
  struct Artist: Decodable, Equatable {
    var id: Int
    var name: String
  }
  struct Album: Decodable, Equatable {
    var id: Int
    var title: String
  }
  struct Line: Decodable, Equatable {
    var album: Album
    var artist: Artist?
    var tracks: Int
  }

  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write { connection in
      try connection.script(
        """
        CREATE TABLE Artist (id INTEGER PRIMARY KEY, name TEXT);
        CREATE TABLE Album (id INTEGER PRIMARY KEY, title TEXT, artistId INTEGER);
        INSERT INTO Artist VALUES (1, 'Ann'), (2, 'Bob');
        INSERT INTO Album VALUES (1, 'One', 2), (2, 'Two', NULL), (3, 'Three', 1);
        """)
    }
  }

  @Test func columnsNamedWithADotMakeANestedStruct() throws {
    let lines = try db.query(
      Line.self,
      """
      SELECT Album.id AS "album.id", Album.title AS "album.title", Artist.id AS "artist.id", Artist.name AS "Artist.Name",
        7 AS tracks
      FROM Album LEFT JOIN Artist ON Artist.id = artistId ORDER BY Album.id
      """)
    #expect(
      lines == [
        Line(album: Album(id: 1, title: "One"), artist: Artist(id: 2, name: "Bob"), tracks: 7),
        Line(album: Album(id: 2, title: "Two"), artist: nil, tracks: 7),
        Line(album: Album(id: 3, title: "Three"), artist: Artist(id: 1, name: "Ann"), tracks: 7),
      ])
  }

  @Test func allColumnsOfATableAreTakenByOneInterpolation() throws {
    let sql: SQL = """
      SELECT 7 AS tracks, \(columnsOf: "Album", as: "album"), \(columnsOf: "Artist", as: "artist")
      FROM Album LEFT JOIN Artist ON Artist.id = artistId ORDER BY Album.id
      """
    let lines = try db.query(Line.self, sql)
    #expect(lines.map(\.album.title) == ["One", "Two", "Three"])
    #expect(lines.map(\.artist?.name) == ["Bob", nil, "Ann"])
    #expect(try db.query(Line.self, sql) == lines)
    #expect(
      try db.rows(sql)[0].columnNames == [
        "tracks", "album.*", "album.id", "album.title", "album.artistId", "artist.*", "artist.id", "artist.name",
      ])
  }

  @Test func aTableJoinedToItselfIsTakenByItsAlias() throws {
    struct Pair: Decodable { var first, second: Artist }
    let pair = try db.querySingle(
      Pair.self,
      """
      SELECT \(columnsOf: "a", as: "first"), \(columnsOf: "b", as: "second")
      FROM Artist a JOIN Artist b ON b.id > a.id
      """)
    #expect((pair.first.name, pair.second.name) == ("Ann", "Bob"))
  }

  @Test func structsNestAsDeeplyAsNamesDo() throws {
    struct Inner: Decodable, Equatable { var x: Int }
    struct Middle: Decodable, Equatable {
      var inner: Inner
      var other: Inner?
    }
    struct Outer: Decodable, Equatable { var middle: Middle }
    let sql: SQL = #"SELECT 1 AS "middle.inner.x", NULL AS "middle.other.x""#
    #expect(try db.querySingle(Outer.self, sql) == Outer(middle: Middle(inner: Inner(x: 1), other: nil)))
  }

  @Test func aColumnOfTheNameItselfIsJSONAsEver() throws {
    struct Holder: Decodable { var artist: Artist }
    let holder = try db.querySingle(Holder.self, #"SELECT '{"id":5,"name":"J"}' AS artist, 9 AS "artist.id""#)
    #expect(holder.artist == Artist(id: 5, name: "J"))
  }

  @Test func whatIsMissingInsideIsAnErrorThatNamesIt() throws {
    let error = storeError {
      _ = try db.queryOne(Line.self, #"SELECT 1 AS "album.id", NULL AS "artist.id", 1 AS tracks"#)
    }
    #expect(error?.code == .missingColumn)
    #expect(error?.message.contains("'title'") == true)
    struct Wrong: Decodable { var album: Int }
    #expect(storeError { _ = try db.queryOne(Wrong.self, #"SELECT 1 AS "album.id""#) }?.code == .missingColumn)
    let null = storeError {
      _ = try db.queryOne(
        Line.self, #"SELECT NULL AS "album.id", NULL AS "album.title", 1 AS "artist.id", 2 AS tracks"#)
    }
    #expect(null?.code == .typeMismatch)
    #expect(null?.operation.contains("album.id") == true)
  }

  @Test func aNestedStructHasItsOwnMapping() throws {
    struct Part: Decodable, RowMapped {
      static let mapping = RowMapping(columnNames: .snakeCase)
      var partName: String
    }
    struct Whole: Decodable { var part: Part }
    #expect(try db.querySingle(Whole.self, #"SELECT 'p' AS "part.part_name""#).part.partName == "p")
  }

  @Test func rowsOfAnotherSchemaAreDecodedAnew() throws {
    let sql: SQL = """
      SELECT 1 AS tracks, \(columnsOf: "Album", as: "album"), \(columnsOf: "Artist", as: "artist")
      FROM Album JOIN Artist ON Artist.id = artistId ORDER BY Album.id
      """
    #expect(try db.query(Line.self, sql).count == 2)
    try db.execute("ALTER TABLE Album ADD COLUMN year INTEGER")
    #expect(try db.query(Line.self, sql).map(\.artist?.name) == ["Bob", "Ann"])
  }

  @Test func aHandWrittenInitialiserReadsTheNames() throws {
    struct Names: RowDecodable {
      let album: String
      let artist: String?
      init(row: borrowing RowReader) throws {
        album = try row["album.title"]
        artist = try row["artist.name"]
      }
    }
    let names = try db.query(
      Names.self,
      """
      SELECT \(columnsOf: "Album", as: "album"), \(columnsOf: "Artist", as: "artist")
      FROM Album LEFT JOIN Artist ON Artist.id = artistId ORDER BY Album.id
      """)
    #expect(names.map(\.album) == ["One", "Two", "Three"])
    #expect(names.map(\.artist) == ["Bob", nil, "Ann"])
  }
}
