import DimpleStore
import DimpleTestSupport

/// A schema with every kind of constraint, and random statements for it. Keys and values come from small pools, so that
/// replicas meet on the same rows and the same unique values.
enum SimulatedSchema {
  static let sql = """
    CREATE TABLE Artist (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, country TEXT DEFAULT 'unknown');
    CREATE TABLE Album (
      id TEXT PRIMARY KEY NOT NULL, title TEXT, year INTEGER CHECK (year IS NULL OR year > 1900),
      artist INTEGER REFERENCES Artist(id), producer INTEGER REFERENCES Artist(id) ON DELETE SET NULL,
      UNIQUE (title, year));
    CREATE TABLE Track (
      album TEXT NOT NULL REFERENCES Album(id) ON DELETE CASCADE, number INTEGER NOT NULL, name TEXT,
      next INTEGER, PRIMARY KEY (album, number)) WITHOUT ROWID;
    CREATE TABLE Node (
      id TEXT PRIMARY KEY NOT NULL, up TEXT REFERENCES Node(id) DEFERRABLE INITIALLY DEFERRED, code INTEGER UNIQUE);
    CREATE TABLE Plain (id BLOB PRIMARY KEY NOT NULL, n INTEGER NOT NULL DEFAULT 7, x ANY) STRICT;
    CREATE INDEX AlbumByArtist ON Album(artist);
    """

  static func statement(_ random: inout SeededRandom) -> SQL {
    switch random.below(10) {
    case 0, 1: artist(&random)
    case 2, 3, 4: album(&random)
    case 5, 6: track(&random)
    case 7, 8: node(&random)
    default: plain(&random)
    }
  }

  private static func artist(_ random: inout SeededRandom) -> SQL {
    let id = random.below(4)
    let name = ["Miles", "MILES", "Joni", "Nina", "Alice"][random.below(5)]
    switch random.below(6) {
    case 0, 1: return "INSERT INTO Artist (id, name) VALUES (\(id), \(name))"
    case 2: return "INSERT OR REPLACE INTO Artist (id, name, country) VALUES (\(id), \(name), 'x')"
    case 3: return "UPDATE Artist SET name = \(name) WHERE id = \(id)"
    case 4: return "UPDATE Artist SET country = \(random.below(100)) WHERE id = \(id)"
    default: return "DELETE FROM Artist WHERE id = \(id)"
    }
  }

  private static func album(_ random: inout SeededRandom) -> SQL {
    let id = "a\(random.below(5))"
    let title = random.oneIn(6) ? nil : "T\(random.below(3))"
    let year = random.oneIn(4) ? nil : 1950 + random.below(3)
    let artist = random.oneIn(5) ? nil : random.below(4)
    let producer = random.oneIn(3) ? nil : random.below(4)
    switch random.below(8) {
    case 0, 1, 2:
      return "INSERT INTO Album VALUES (\(id), \(title), \(year), \(artist), \(producer))"
    case 3:
      return """
        INSERT INTO Album VALUES (\(id), \(title), \(year), \(artist), \(producer))
        ON CONFLICT (id) DO UPDATE SET title = excluded.title, artist = excluded.artist
        """
    case 4: return "UPDATE Album SET title = \(title), year = \(year) WHERE id = \(id)"
    case 5: return "UPDATE Album SET artist = \(artist) WHERE id = \(id)"
    case 6: return "UPDATE Album SET producer = \(producer) WHERE id = \(id)"
    default: return "DELETE FROM Album WHERE id = \(id)"
    }
  }

  private static func track(_ random: inout SeededRandom) -> SQL {
    let album = "a\(random.below(5))"
    let number = random.below(3)
    switch random.below(5) {
    case 0, 1: return "INSERT OR IGNORE INTO Track VALUES (\(album), \(number), \(random.below(9)), NULL)"
    case 2: return "UPDATE Track SET name = \(random.below(99)) WHERE album = \(album) AND number = \(number)"
    case 3: return "UPDATE OR IGNORE Track SET number = \(random.below(3)) WHERE album = \(album)"
    default: return "DELETE FROM Track WHERE album = \(album) AND number = \(number)"
    }
  }

  private static func node(_ random: inout SeededRandom) -> SQL {
    let id = "n\(random.below(5))"
    let up = random.oneIn(4) ? nil : "n\(random.below(5))"
    let code = random.oneIn(3) ? nil : random.below(4)
    switch random.below(5) {
    case 0, 1: return "INSERT INTO Node VALUES (\(id), \(up), \(code))"
    case 2: return "UPDATE Node SET up = \(up) WHERE id = \(id)"
    case 3: return "UPDATE Node SET code = \(code) WHERE id = \(id)"
    default: return "DELETE FROM Node WHERE id = \(id)"
    }
  }

  private static func plain(_ random: inout SeededRandom) -> SQL {
    let id = [UInt8(random.below(3))]
    let x: SQLValue = [
      .null, .text("007"), .integer(7), .real(7), .real(-0.0), .blob([]), .text(""), .integer(.min),
    ][random.below(8)]
    switch random.below(4) {
    case 0, 1: return "INSERT INTO Plain (id, x) VALUES (\(id), \(x))"
    case 2: return "UPDATE Plain SET x = \(x), n = \(random.below(3)) WHERE id = \(id)"
    default: return "DELETE FROM Plain WHERE id = \(id)"
    }
  }
}
