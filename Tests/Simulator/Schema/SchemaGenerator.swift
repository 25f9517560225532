import DimpleTestSupport

/// Makes schemas with every kind of key and constraint, by seed.
struct SchemaGenerator {
  private var random: SeededRandom
  private var tables: [SimulatedSchema.Table] = []

  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed)
  }

  mutating func make() -> SimulatedSchema {
    // The keys first, so that any table may refer to any.
    for index in 0..<2 + random.below(4) {
      tables.append(keyedTable(index, version: index < 2 ? 1 : 1 + random.below(SimulatedSchema.newestVersion)))
    }
    for index in tables.indices { addColumns(to: index) }
    for index in tables.indices { addReferences(to: index) }
    for index in tables.indices where random.oneIn(3) { addUniqueIndex(to: index) }
    var schema = SimulatedSchema(tables: tables)
    if random.oneIn(4), let trigger = trigger() { schema.triggers = [trigger] }
    // Not drawn, so that older seeds still mean what they meant.
    if seed % 7 == 6 {
      for index in schema.tables.indices { schema.tables[index].updateRevives = seed >> UInt64(index + 3) & 1 == 1 }
    }
    schema.renames = renames()
    return schema
  }

  // MARK: - Keys

  private mutating func keyedTable(_ index: Int, version: Int) -> SimulatedSchema.Table {
    var table = SimulatedSchema.Table(name: "T\(index)", version: version, columns: [])
    func key(_ name: String, _ type: String, _ values: [String]) -> SimulatedSchema.Column {
      SimulatedSchema.Column(name: name, type: type, version: version, isNotNull: true, values: values)
    }
    let texts = ["'a'", "'b'", "'c'", "'d'"]
    switch random.below(6) {
    case 0, 1: table.columns = [key("id", "INTEGER", ["1", "2", "3", "4"])]
    case 2: table.columns = [key("id", "TEXT", texts)]
    case 3: table.columns = [key("id", "BLOB", ["x'00'", "x'01'", "x''"])]
    case 4:
      table.columns = [key("a", "TEXT", texts), key("b", "INTEGER", ["1", "2"])]
      table.keyCount = 2
    default:
      table.columns = [key("id", "TEXT", ["'a'", "'A'", "'b'"])]
      table.columns[0].collation = random.oneIn(2) ? "NOCASE" : nil
    }
    table.isStrict = random.oneIn(4)
    table.isWithoutRowID = random.oneIn(4)
    return table
  }

  // MARK: - Columns

  private mutating func addColumns(to index: Int) {
    let version = tables[index].version
    for number in 0..<1 + random.below(4) {
      // Most columns come with their table, some with a later version of the app.
      let later = version < SimulatedSchema.newestVersion && random.oneIn(3)
      tables[index].columns.append(
        column("c\(number)", index, version: later ? version + 1 + random.below(3 - version) : version))
    }
    let table = tables[index]
    let own = table.columns.indices.filter { $0 >= table.keyCount && table.columns[$0].version == version }
    if let column = random.pick(own), random.oneIn(2) { tables[index].uniques.append([column]) }
    if own.count > 1, random.oneIn(4) { tables[index].uniques.append(Array(own.suffix(2))) }
  }

  private mutating func column(_ name: String, _ index: Int, version: Int) -> SimulatedSchema.Column {
    let isStrict = tables[index].isStrict
    var column = SimulatedSchema.Column(name: name, version: version, values: [])
    switch random.below(6) {
    case 0, 1:
      column.type = "TEXT"
      column.values = ["'x'", "'X'", "'y'", "'y '", "''", "'007'"]
      column.collation = [nil, nil, "NOCASE", "RTRIM"][random.below(4)]
      column.fallback = random.oneIn(3) ? "'none'" : nil
    case 2, 3:
      column.type = "INTEGER"
      column.values = ["1", "2", "3", "-1", "9223372036854775807"]
      column.check = random.oneIn(3) ? "\(name) IS NULL OR \(name) > 0" : nil
      column.fallback = random.oneIn(3) ? "7" : nil
    case 4:
      column.type = "BLOB"
      column.values = ["x''", "x'00'", "x'ff'"]
    default:
      column.type = isStrict ? "ANY" : ""
      column.values = ["1", "1.0", "'1'", "x'31'", "0.1", "-0.0", "1e300"]
    }
    // A column added later may be NOT NULL only with a default.
    let mayRefuseNull = version == tables[index].version || column.fallback != nil
    column.isNotNull = mayRefuseNull && random.oneIn(4)
    return column
  }

  // MARK: - References

  private static let actions = [
    "NO ACTION", "NO ACTION", "RESTRICT", "CASCADE", "CASCADE", "SET NULL", "SET NULL", "SET DEFAULT",
  ]

  private mutating func addReferences(to index: Int) {
    for number in 0..<random.below(3) { addReference(to: index, number) }
    // The first part of a composite key may be a reference itself.
    let table = tables[index]
    if table.keyCount == 2, random.oneIn(2),
      let parent = parents(of: index, version: table.version).first(where: {
        tables[$0].keyCount == 1 && tables[$0].columns[0].type == "TEXT"
      })
    {
      tables[index].columns[0].values = tables[parent].columns[0].values
      tables[index].foreignKeys.append(
        foreignKey([0], parent, [0], onDelete: random.oneIn(2) ? "CASCADE" : "NO ACTION"))
    }
  }

  private func parents(of index: Int, version: Int) -> [Int] {
    tables.indices.filter { tables[$0].version <= version && $0 != index }
  }

  private mutating func addReference(to index: Int, _ number: Int) {
    let own = tables[index].version
    let version = random.oneIn(4) ? min(own + 1, SimulatedSchema.newestVersion) : own
    let candidates = parents(of: index, version: version) + (random.oneIn(3) ? [index] : [])
    guard let parent = random.pick(candidates) else { return }
    var target = Array(0..<tables[parent].keyCount)
    let unique = tables[parent].uniques.first { $0.count == 1 && $0[0] >= tables[parent].keyCount }
    if let unique, random.oneIn(3) { target = unique }
    // ALTER TABLE can add no composite key.
    if target.count > 1, version != own { return }
    var columns: [Int] = []
    for (part, position) in target.enumerated() {
      var column = tables[parent].columns[position]
      column.name = "r\(number)\(part == 0 ? "" : "b")"
      column.version = version
      (column.isNotNull, column.fallback, column.check) = (false, nil, nil)
      if tables[index].isStrict, column.type.isEmpty { column.type = "ANY" }
      // Elsewhere ANY makes a number of '1', which SQLite then takes for the text when the parent comes, and else not.
      if !tables[index].isStrict, column.type == "ANY" { column.type = "" }
      if version == own, target.count == 1, random.oneIn(8) { column.isNotNull = true }
      columns.append(tables[index].columns.count)
      tables[index].columns.append(column)
    }
    let action = random.pick(Self.actions) ?? "NO ACTION"
    tables[index].foreignKeys.append(foreignKey(columns, parent, target, onDelete: action))
  }

  private mutating func foreignKey(
    _ columns: [Int], _ parent: Int, _ parentColumns: [Int], onDelete: String
  ) -> SimulatedSchema.ForeignKey {
    SimulatedSchema.ForeignKey(
      columns: columns, parent: parent, parentColumns: parentColumns, onDelete: onDelete,
      onUpdate: ["NO ACTION", "NO ACTION", "CASCADE", "SET NULL"][random.below(4)], isDeferred: random.oneIn(3))
  }

  // MARK: - Indexes

  private mutating func addUniqueIndex(to index: Int) {
    let table = tables[index]
    let own = table.columns.indices.filter { $0 >= table.keyCount && table.columns[$0].version == table.version }
    guard let column = random.pick(own) else { return }
    var unique = SimulatedSchema.UniqueIndex(column: column)
    unique.isFolded = table.columns[column].type == "TEXT" && random.oneIn(2)
    unique.absent = unique.isFolded && random.oneIn(2) ? nil : random.pick(own.filter { $0 != column })
    // Otherwise it is one like any other.
    if unique.isFolded || unique.absent != nil { tables[index].uniqueIndexes.append(unique) }
  }

  // MARK: - Names

  /// By seeds of their own, so that older seeds still mean what they meant.
  private func renames() -> [SimulatedSchema.Rename] {
    var random = SeededRandom(seed: seed &+ 77)
    guard random.oneIn(6) else { return [] }
    var renames: [SimulatedSchema.Rename] = []
    if random.oneIn(2), let table = random.pick(tables.filter { $0.version < SimulatedSchema.newestVersion }) {
      let version = table.version + 1 + random.below(SimulatedSchema.newestVersion - table.version)
      renames.append(.init(version: version, old: table.name, new: "New" + table.name, isTable: true))
    }
    let columns = tables.flatMap { $0.columns.dropFirst($0.keyCount) }
      .filter { $0.version < SimulatedSchema.newestVersion }
    if renames.isEmpty || random.oneIn(2), let column = random.pick(columns) {
      let version = column.version + 1 + random.below(SimulatedSchema.newestVersion - column.version)
      renames.append(.init(version: version, old: column.name, new: "new" + column.name, isTable: false))
    }
    return renames
  }

  // MARK: - Triggers

  /// The app's own trigger: its effect must travel as a change of its own, and not be repeated where it arrives.
  private mutating func trigger() -> (version: Int, sql: String)? {
    let (source, target) = (tables[0], tables[1])
    guard
      let column = target.columns.indices.first(where: { $0 >= target.keyCount && target.columns[$0].version == 1 }),
      let value = random.pick(target.columns[column].values)
    else { return nil }
    let name = target.columns[column].name
    return (
      1,
      """
      CREATE TRIGGER note AFTER \(random.oneIn(2) ? "UPDATE" : "DELETE") ON \(source.name) BEGIN \
      UPDATE OR IGNORE \(target.name) SET \(name) = \(value) WHERE \(name) IS NOT \(value); END
      """
    )
  }
}
