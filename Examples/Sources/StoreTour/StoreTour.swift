// docs/STORE.md, compiled and run. What stands between `snippet` and `end` is what the page shows.

import DimpleStore
import ExampleSupport
import Foundation

// snippet: model
struct Artist: Entity {
  var id = UUIDv7()
  var name: String
}

struct Album: Entity {
  var id = UUIDv7()
  var title: String
  var artist: Artist.ID?
  var released: Date?
  var labels: [String] = []  // JSON text
}
// end

// snippet: composite
struct Rating: Entity {
  struct ID: CompositeID {
    static let columns = ["album", "listener"]
    var album: Album.ID
    var listener: String
  }
  static let mapping = RowMapping(columnNames: .snakeCase, dates: .millisecondsSince1970)

  var album: Album.ID
  var listener: String
  var stars: Int
  var givenAt: Date  // given_at, an integer
  var id: ID { ID(album: album, listener: listener) }
}
// end

// snippet: joined
struct AlbumLine: Decodable, Sendable {
  var album: Album
  var artist: Artist?  // nil where the outer join found none
}
// end

// snippet: initialiser
struct Title: RowDecodable, Sendable {
  let id: UUIDv7
  let text: String

  init(row: borrowing RowReader) throws {
    id = try row["id"]
    text = try row["title"]
  }
}
// end

@main
struct StoreTour {
  static func main() async throws {
    let db = try open()
    let album = try await entities(db)
    try await queries(db, album)
    try await joins(db)
    try await large(db)
    try await transactions(db)
    try await keeping(db)
    try await errors(db)
    print("The store's tour is through.")
  }

  static func open() throws -> Database {
    // snippet: open
    let db = try Database.temporary(migrations: [
      Migration(
        "create Artist and Album",
        """
        CREATE TABLE Artist (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE Album (
          id TEXT PRIMARY KEY, title TEXT NOT NULL, artist TEXT REFERENCES Artist, released TEXT, labels TEXT) STRICT;
        """),
      Migration(
        "create Rating",
        """
        CREATE TABLE Rating (
          album TEXT REFERENCES Album, listener TEXT, stars INTEGER NOT NULL, given_at INTEGER NOT NULL,
          PRIMARY KEY (album, listener)) STRICT, WITHOUT ROWID
        """),
    ])
    // end
    return db
  }

  static func entities(_ db: Database) async throws -> Album {
    // snippet: entities
    let artist = try await db.upsert(Artist(name: "Nina Simone"), conflictingOn: ["name"])  // the one there is, or new
    var album = try await db.insert(Album(title: "Pastel Blues", artist: artist.id, labels: ["Philips"]))
    album.released = Date(timeIntervalSince1970: -133_142_400)
    album = try await db.save(album)  // writes one column: `released`

    try await db.insert(contentsOf: (1...3).map { Album(title: "Untitled \($0)") })  // one transaction, one statement
    let same = try await db.require(Album.self, id: album.id)  // or throws `rowNotFound`; `find` gives an optional
    try await db.save(Rating(album: album.id, listener: "ann", stars: 5, givenAt: .now))
    // end
    precondition(same.released == album.released)
    return album
  }

  static func queries(_ db: Database, _ album: Album) async throws {
    // snippet: queries
    let word = "Blues"
    let found = try await db.query(Album.self, "SELECT * FROM Album WHERE title LIKE '%' || \(word) || '%'")
    let count = try await db.querySingle(Int.self, "SELECT count(*) FROM Album")
    let pairs = try await db.query((String, Int).self, "SELECT title, length(title) FROM Album ORDER BY title")
    let byID = try await db.query(Album.self, keyedBy: \.id, "SELECT * FROM Album")
    let names = try await db.querySet(String.self, "SELECT name FROM Artist")
    let isRated = try await db.exists("SELECT 1 FROM Rating WHERE album = \(album.id)")
    // end
    precondition(found.count == 1 && count == 4 && pairs.count == 4 && byID.count == 4 && names.count == 1 && isRated)

    // snippet: parameters
    let some = try await db.query(Album.self, "SELECT * FROM Album WHERE id IN \(byID.keys)")  // a list
    let order: SQL = "\(identifier: "title") DESC"  // a name, quoted; SQL in SQL
    let sorted = try await db.query(Title.self, "SELECT id, title FROM Album ORDER BY \(order)")
    let named = SQL("SELECT title FROM Album WHERE title = :title OR :title IS NULL", ["title": "Untitled 2"])
    let titles = try await db.query(String.self, named)
    // end
    precondition(some.count == 4 && sorted.first?.text == "Untitled 3" && titles == ["Untitled 2"])
  }

  static func joins(_ db: Database) async throws {
    // snippet: joins
    let lines = try await db.query(
      AlbumLine.self,
      """
      SELECT \(columnsOf: "Album", as: "album"), \(columnsOf: "Artist", as: "artist")
      FROM Album LEFT JOIN Artist ON Artist.id = Album.artist ORDER BY title
      """)
    // end
    precondition(lines.map(\.artist?.name) == ["Nina Simone", nil, nil, nil])
  }

  static func large(_ db: Database) async throws {
    // snippet: cursor
    var letters = 0
    for try await title in db.cursor(String.self, "SELECT title FROM Album") {  // a batch at a time
      letters += title.count
    }
    // end
    precondition(letters == 42)

    // snippet: blob
    try await db.execute("CREATE TABLE Cover (id INTEGER PRIMARY KEY, image BLOB)")
    try await db.execute("INSERT INTO Cover VALUES (1, \(ZeroBlob(byteCount: 100_000)))")
    try await db.write { connection in  // piece by piece, whatever its size
      let writer = try connection.writeBlob(table: "Cover", column: "image", rowID: 1)
      try writer.write([0xFF, 0xD8], at: 0)
    }
    try await db.read { connection in
      try connection.readBlob(table: "Cover", column: "image", rowID: 1).forEachChunk { piece in
        print(piece.count, "bytes")
      }
    }
    // end
  }

  static func keeping(_ db: Database) async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let path = "\(folder.path)/backup.db"
    // snippet: keeping
    try await db.backup(to: path) { progress in print("\(Int(progress.fraction * 100)) %") }  // meanwhile, work goes on
    try await db.execute("DELETE FROM Rating")
    try await db.restore(from: path)  // in one transaction; live queries show what is back
    let damage = try await db.integrityCheck()  // nothing, or what is wrong
    // end
    precondition(damage.isEmpty)
  }

  static func transactions(_ db: Database) async throws {
    // snippet: transactions
    try await db.write { connection in  // all or nothing
      let rename = try connection.prepared("UPDATE Album SET title = ? WHERE title = ?")  // compiled once
      for number in 1...3 { try rename.execute("Live \(number)", "Untitled \(number)") }
      _ = try? connection.savepoint {  // a part that may fail alone
        try connection.execute("UPDATE Album SET title = NULL")
      }
    }
    let (albums, artists) = try await db.read { connection in  // one moment, whatever commits meanwhile
      (try connection.count(Album.self), try connection.count(Artist.self))
    }
    // end
    precondition((albums, artists) == (4, 1))
  }

  static func errors(_ db: Database) async throws {
    // snippet: errors
    do {
      try await db.insert(Artist(name: "Nina Simone"))
    } catch let error as StoreError where error.code == .uniqueConstraint {
      print(error)  // says what, where, and what to do; values are left out unless asked for
    }
    // end
  }
}
