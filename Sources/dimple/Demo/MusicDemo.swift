internal import DimpleDb

/// The main job on a small music library: live queries, concurrent edits, an offline period, encrypted sync.
struct MusicDemo {
  static let migrations = [
    Migration("create Artist", "CREATE TABLE Artist (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)"),
    Migration(
      "create Album",
      """
      CREATE TABLE Album (
        id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, year INTEGER, rating INTEGER,
        artist TEXT NOT NULL REFERENCES Artist(id))
      """),
  ]

  struct Artist: Entity {
    var id = UUIDv7()
    var name: String
  }

  struct Album: Entity {
    var id = UUIDv7()
    var title: String
    var year: Int?
    var rating: Int?
    var artist: UUIDv7
  }

  let phone: Device
  let laptop: Device
  let narrator: Narrator

  func run() async throws {
    let live = LivePrinter(phone, "SELECT title, year, rating FROM Album ORDER BY title", narrator) { rows in
      rows.isEmpty ? "no albums yet" : rows.map(Self.describe).joined(separator: " · ")
    }
    defer { live.stop() }
    await live.wait { $0.isEmpty }

    narrator.headline("The phone writes a few rows; its live query prints after each commit that changes the result.")
    let (blue, kind) = try await fillPhone()
    await live.wait { $0.count == 2 }

    narrator.headline("Both sync: the laptop has never seen this data.")
    try await phone.sync(narrator)
    try await laptop.sync(narrator)

    narrator.headline("Both go offline and edit. Different columns of one album, the same column of another:")
    try await editBoth(blue: blue, kind: kind)
    await live.wait { $0.count == 3 }

    narrator.headline("They come back online, in any order.")
    try await phone.sync(narrator)
    try await laptop.sync(narrator)
    try await phone.sync(narrator)
    await live.wait { $0.count == 4 }
    let merged = try await phone.database.query(Album.self, "SELECT * FROM Album WHERE id = \(blue)")
    narrator.line(
      "“\(merged[0].title)” has the phone's year \(merged[0].year ?? 0) and the laptop's rating \(merged[0].rating ?? 0): columns merge."
    )
    let contested = try await phone.database.query(Album.self, "SELECT * FROM Album WHERE id = \(kind)")
    narrator.line("“\(contested[0].title)” was retitled on both: the later edit won, on both.")
  }

  private static let describe: @Sendable (Row) -> String = { row in
    let details = [row["year"], row["rating"]].compactMap { value -> String? in
      if case .integer(let number) = value { String(number) } else { nil }
    }
    let title = RowPrinter.cell(row["title"])
    return details.isEmpty ? title : "\(title) (\(details.joined(separator: ", ")))"
  }

  private func fillPhone() async throws -> (UUIDv7, UUIDv7) {
    let miles = try await phone.database.save(Artist(name: "Miles Davis"))
    let blue = try await phone.database.save(Album(title: "Blue in Green", artist: miles.id))
    let kind = try await phone.database.save(Album(title: "Kind of Blue", year: 1959, artist: miles.id))
    return (blue.id, kind.id)
  }

  private func editBoth(blue: UUIDv7, kind: UUIDv7) async throws {
    try await phone.database.execute("UPDATE Album SET year = \(1960) WHERE id = \(blue)")
    narrator.line("phone:  UPDATE Album SET year = 1960            (Blue in Green)")
    try await laptop.database.execute("UPDATE Album SET rating = \(5) WHERE id = \(blue)")
    narrator.line("laptop: UPDATE Album SET rating = 5             (Blue in Green)")
    try await phone.database.execute("UPDATE Album SET title = \("Kind of Blue (Mono)") WHERE id = \(kind)")
    narrator.line("phone:  UPDATE Album SET title = '… (Mono)'     (Kind of Blue)")
    try await laptop.database.execute("UPDATE Album SET title = \("Kind of Blue (Stereo)") WHERE id = \(kind)")
    narrator.line("laptop: UPDATE Album SET title = '… (Stereo)'   (Kind of Blue), a moment later")
    let joni = try await laptop.database.save(Artist(name: "Joni Mitchell"))
    try await laptop.database.save(Album(title: "Blue", year: 1971, artist: joni.id))
    narrator.line("laptop: a new artist with an album, in plain structs")
    let miles = try await phone.database.rows("SELECT id FROM Artist")[0]["id"]
    try await phone.database.execute(
      "INSERT INTO Album (id, title, artist) VALUES (\(UUIDv7()), \("Sketches of Spain"), \(miles))")
    narrator.line("phone:  a new album, in plain SQL")
  }
}
