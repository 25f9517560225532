/// A schema made by hand, in which the constraints meet each other often: the music shop of the first simulator, with two
/// later versions.
extension SimulatedSchema {
  private static let artists = ["1", "2", "3", "4"]
  private static let albums = ["'a0'", "'a1'", "'a2'", "'a3'"]
  private static let nodes = ["'n0'", "'n1'", "'n2'", "'n3'", "'n4'"]

  static let classic = SimulatedSchema(tables: [
    Table(
      name: "Artist",
      columns: [
        Column(name: "id", type: "INTEGER", isNotNull: true, values: artists),
        Column(name: "name", type: "TEXT", collation: "NOCASE", values: ["'Miles'", "'MILES'", "'Joni'", "'Nina'"]),
        Column(name: "country", type: "TEXT", fallback: "'unknown'", values: ["'FR'", "'12'"]),
        Column(name: "born", type: "INTEGER", version: 2, values: ["1926", "1943"]),
        Column(name: "label", type: "TEXT", version: 3, values: ["'l0'", "'l1'"]),
      ], uniques: [[1]],
      foreignKeys: [ForeignKey(columns: [4], parent: 5, parentColumns: [0], onDelete: "SET NULL")]),
    Table(
      name: "Album",
      columns: [
        Column(name: "id", type: "TEXT", isNotNull: true, values: albums),
        Column(name: "title", type: "TEXT", values: ["'T0'", "'T1'", "'T2'"]),
        Column(name: "year", type: "INTEGER", check: "year IS NULL OR year > 1900", values: ["1950", "1951", "1800"]),
        Column(name: "artist", type: "INTEGER", values: artists),
        Column(name: "producer", type: "INTEGER", values: artists),
        Column(name: "stars", type: "INTEGER", version: 2, isNotNull: true, fallback: "3", values: ["1", "5"]),
      ], uniques: [[1, 2]],
      foreignKeys: [
        ForeignKey(columns: [3], parent: 0, parentColumns: [0]),
        ForeignKey(columns: [4], parent: 0, parentColumns: [0], onDelete: "SET NULL"),
      ]),
    Table(
      name: "Track",
      columns: [
        Column(name: "album", type: "TEXT", isNotNull: true, values: albums),
        Column(name: "number", type: "INTEGER", isNotNull: true, values: ["0", "1", "2"]),
        Column(name: "name", type: "TEXT", values: ["'1'", "'2'", "'3'"]),
        Column(name: "next", type: "INTEGER", values: ["1", "2"]),
      ], keyCount: 2,
      foreignKeys: [ForeignKey(columns: [0], parent: 1, parentColumns: [0], onDelete: "CASCADE")],
      isWithoutRowID: true),
    Table(
      name: "Node",
      columns: [
        Column(name: "id", type: "TEXT", isNotNull: true, values: nodes),
        Column(name: "up", type: "TEXT", values: nodes),
        Column(name: "code", type: "INTEGER", values: ["1", "2", "3"]),
      ], uniques: [[2]],
      foreignKeys: [ForeignKey(columns: [1], parent: 3, parentColumns: [0], isDeferred: true)]),
    Table(
      name: "Plain",
      columns: [
        Column(name: "id", type: "BLOB", isNotNull: true, values: ["x'00'", "x'01'", "x'02'"]),
        Column(name: "n", type: "INTEGER", isNotNull: true, fallback: "7", values: ["0", "1"]),
        Column(
          name: "x", type: "ANY", values: ["'007'", "7", "7.0", "-0.0", "x''", "''", "-9223372036854775808"]),
      ], isStrict: true),
    Table(
      name: "Label", version: 2,
      columns: [
        Column(name: "id", type: "TEXT", version: 2, isNotNull: true, values: ["'l0'", "'l1'"]),
        Column(name: "name", type: "TEXT", version: 2, collation: "RTRIM", values: ["'Blue'", "'Blue '", "'Verve'"]),
        Column(name: "head", type: "INTEGER", version: 3, values: artists),
      ], uniques: [[1]],
      foreignKeys: [ForeignKey(columns: [2], parent: 0, parentColumns: [0], onDelete: "RESTRICT")]),
  ])
}
