import Testing

@testable import DimpleChangelog

@Suite("What a statement did to the schema")
struct SchemaEditTests {
  private func table(_ name: String, _ columns: String...) -> SchemaTable {
    SchemaTable(
      name: name, sql: "\(name)\(columns)",
      columns: columns.enumerated().map { SchemaColumn(name: $1, keyPosition: $0 == 0 ? 1 : 0) })
  }

  private func edits(_ old: [SchemaTable], _ new: [SchemaTable]) -> [SchemaEdit] {
    SchemaEdit.edits(from: SchemaSnapshot(old), to: SchemaSnapshot(new))
  }

  @Test("Tables created, dropped and renamed")
  func tables() {
    let (a, b) = (table("A", "id", "x"), table("B", "id", "x"))
    #expect(edits([a], [a]) == [])
    #expect(edits([a], [a, b]) == [.created("B")])
    #expect(edits([a, b], [b]) == [.dropped("A")])
    #expect(edits([a], [b]) == [.renamed(from: "A", to: "B")])
    #expect(edits([a], [table("a", "id", "x")]) == [.renamed(from: "A", to: "a")])
  }

  @Test("Columns added, dropped and renamed")
  func columns() {
    let old = table("T", "id", "x", "y")
    #expect(edits([old], [table("T", "id", "x", "y", "z")]) == [.columnAdded(table: "T", "z")])
    #expect(edits([old], [table("T", "id", "y")]) == [.columnDropped(table: "T", "x")])
    #expect(edits([old], [table("T", "id", "w", "y")]) == [.columnRenamed(table: "T", from: "x", to: "w")])
    #expect(edits([old], [table("T", "key", "x", "y")]) == [.columnRenamed(table: "T", from: "id", to: "key")])
    #expect(edits([old], [table("T", "id", "X", "y")]) == [.columnRenamed(table: "T", from: "x", to: "X")])
  }

  @Test("The catalogue keeps ids through renames, and never gives one out twice")
  func catalog() {
    var catalog = Catalog()
    catalog.track(table("T", "id", "x"), state: .tracked)
    for edit in [
      SchemaEdit.columnAdded(table: "T", "y"), .columnDropped(table: "t", "X"), .columnAdded(table: "T", "x"),
      .columnRenamed(table: "T", from: "y", to: "z"), .renamed(from: "T", to: "U"),
    ] {
      catalog.apply(edit)
    }
    #expect(catalog["T"] == nil)
    #expect(catalog["u"]?.id == 1)
    #expect(catalog["U"]?.columnID("z") == 3 && catalog["U"]?.columnID("x") == 4 && catalog["U"]?.columnID("y") == nil)
    #expect(catalog.tables[1]?.columns.map(\.name) == ["id", "x", "z", "x"])
    catalog.apply(.dropped("U"))
    catalog.track(table("U", "id"), state: .tracked)
    #expect(catalog["U"]?.id == 2 && catalog.tables[1]?.state == .gone)
  }
}

@Suite("The triggers of a table")
struct TriggerTests {
  private let table = TrackedTable(
    id: 7, name: "a \"b\"", keyColumns: [TrackedColumn(id: 2, name: "k")],
    columns: [TrackedColumn(id: 1, name: "x"), TrackedColumn(id: 130, name: "order")])

  @Test("Carry the table's shape as a constant, and quote every name")
  func text() {
    #expect(
      TriggerSQL(table).triggers.map(\.sql) == [
        #"CREATE TRIGGER "dimple_7_insert" AFTER INSERT ON "a ""b""" WHEN dimple_insert(x'000701018201', "#
          + #"NEW."k", NEW."x", NEW."order") BEGIN SELECT RAISE(ABORT, 'untracked'); END"#,
        #"CREATE TRIGGER "dimple_7_update" AFTER UPDATE ON "a ""b""" WHEN dimple_update(x'000701018201', "#
          + #"OLD."k", NEW."k", OLD."x", OLD."order", NEW."x", NEW."order") "#
          + "BEGIN SELECT RAISE(ABORT, 'untracked'); END",
        #"CREATE TRIGGER "dimple_7_delete" AFTER DELETE ON "a ""b""" WHEN dimple_delete(x'000701', OLD."k") "#
          + "BEGIN SELECT RAISE(ABORT, 'untracked'); END",
      ])
  }

  @Test("Are left alone while they are right, and made anew where they are not the newest, not whole, or not wanted")
  func plan() {
    let ours = TriggerSQL(table).triggers.map { SchemaTrigger(name: $0.name, table: "A \"B\"", sql: $0.sql) }
    let theirs = SchemaTrigger(name: "theirs", table: table.name, sql: "")
    func plan(_ present: [SchemaTrigger]) -> TriggerPlan {
      TriggerPlan(wanted: [(table.name, TriggerSQL(table))], present: present)
    }
    let creates = ours.map(\.sql)
    #expect(plan([theirs] + ours).drops == [] && plan([theirs] + ours).creates == [])
    #expect(plan(ours + [theirs]).drops == ours.map(\.name) && plan(ours + [theirs]).creates == creates)
    #expect(plan(Array(ours.prefix(2))).drops == ours.prefix(2).map(\.name))
    #expect(plan([]).creates == creates)
    var stale = ours
    stale[0].sql += " "
    #expect(plan(stale).drops == ours.map(\.name) && plan(stale).creates == creates)
    #expect(TriggerPlan(wanted: [], present: ours + [theirs]).drops == ours.map(\.name))
  }

  @Test(
    "Are told from the app's by their names",
    arguments: ["dimple_7_", "dimple_x_insert", "dimple_insert", "theirs_7_insert"])
  func names(_ name: String) {
    #expect(TriggerSQL.table(ofTrigger: name) == nil)
    #expect(TriggerSQL.table(ofTrigger: "dimple_7_delete") == 7)
  }
}
