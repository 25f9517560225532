import DimpleDb
import DimpleTestSupport
import Foundation

/// A music shop: the Chinook database where it lies beside the project, else a small one of the same tables.
struct MusicShop {
  /// Where the sample database lies, if it does.
  static var sample: String? {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.deletingLastPathComponent().appending(path: "shared/data/Chinook.sqlite").path()
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// Fills a new file with the shop, not yet tracked.
  static func make(at path: String) throws {
    if let sample {
      try FileManager.default.copyItem(atPath: sample, toPath: path)
      return
    }
    print("The Chinook database is not beside the project: a small shop of the same tables takes its place.")
    let database = try Database(path)
    try database.write { connection in
      try connection.script("\(raw: smallShop)")
      for id in 1...200 {
        try connection.execute("INSERT INTO Artist VALUES (\(id), \("Artist \(id)"))")
        try connection.execute("INSERT INTO Album VALUES (\(id), \("Album \(id)"), \(id))")
        try connection.execute(
          "INSERT INTO Track (TrackId, Name, AlbumId, MediaTypeId, Milliseconds, UnitPrice) VALUES (\(id), 'T', \(id), 1, 1, 0.99)"
        )
        try connection.execute("INSERT INTO PlaylistTrack VALUES (1, \(id))")
      }
    }
    try database.close()
  }

  private static let smallShop = """
    CREATE TABLE Artist (ArtistId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(120));
    CREATE TABLE Album (AlbumId INTEGER NOT NULL PRIMARY KEY, Title NVARCHAR(160) NOT NULL,
      ArtistId INTEGER NOT NULL REFERENCES Artist(ArtistId));
    CREATE TABLE MediaType (MediaTypeId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(120));
    CREATE TABLE Genre (GenreId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(120));
    CREATE TABLE Track (TrackId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(200) NOT NULL,
      AlbumId INTEGER REFERENCES Album(AlbumId), MediaTypeId INTEGER NOT NULL REFERENCES MediaType(MediaTypeId),
      GenreId INTEGER REFERENCES Genre(GenreId), Composer NVARCHAR(220), Milliseconds INTEGER NOT NULL, Bytes INTEGER,
      UnitPrice NUMERIC(10,2) NOT NULL);
    CREATE TABLE Playlist (PlaylistId INTEGER NOT NULL PRIMARY KEY, Name NVARCHAR(120));
    CREATE TABLE PlaylistTrack (PlaylistId INTEGER NOT NULL REFERENCES Playlist(PlaylistId),
      TrackId INTEGER NOT NULL REFERENCES Track(TrackId), PRIMARY KEY (PlaylistId, TrackId));
    INSERT INTO MediaType VALUES (1, 'MPEG');
    INSERT INTO Playlist VALUES (1, 'All');
    """

  /// The statements that make the shop's empty tables.
  static func schema(of path: String) throws -> [Migration] {
    let database = try Database(path)
    defer { try? database.close() }
    let rows = try database.rows(
      "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('table', 'index') ORDER BY type DESC, rowid"
    )
    return try rows.map { Migration(try $0.get("name"), "\(raw: try $0.get("sql") as String)") }
  }

  /// One edit as a shop's clerk would make it; constraints may refuse it.
  static func edit(_ random: inout SeededRandom) -> SQL {
    let id = 1 + random.below(200)
    let text = "edit \(random.below(1_000_000))"
    switch random.below(10) {
    case 0: return "INSERT INTO Artist (ArtistId, Name) VALUES (\(10_000 + random.below(50)), \(text))"
    case 1: return "UPDATE Artist SET Name = \(text) WHERE ArtistId = \(id)"
    case 2: return "INSERT INTO Album (AlbumId, Title, ArtistId) VALUES (\(10_000 + random.below(50)), \(text), \(id))"
    case 3: return "UPDATE Album SET Title = \(text) WHERE AlbumId = \(id)"
    case 4: return "UPDATE Album SET ArtistId = \(1 + random.below(200)) WHERE AlbumId = \(id)"
    case 5: return "UPDATE Track SET Name = \(text) WHERE AlbumId = \(id)"
    case 6:
      return "UPDATE Track SET Composer = \(text), UnitPrice = \(Double(random.below(300)) / 100) WHERE TrackId = \(id)"
    case 7: return "DELETE FROM PlaylistTrack WHERE TrackId = \(id)"
    case 8: return "DELETE FROM Album WHERE AlbumId NOT IN (SELECT AlbumId FROM Track) AND AlbumId % 7 = \(id % 7)"
    default: return "DELETE FROM Artist WHERE ArtistId = \(id)"
    }
  }
}
