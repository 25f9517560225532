internal import DimpleMutex
package import DimpleStore

/// Tracking follows the schema, statement by statement, in the statement's own transaction.
extension Changelog {
  package func willChangeSchema(_ connection: Connection) throws {
    // On a reader, the statement is about to fail.
    guard connection.role == .writer, state.withLock({ $0.isSetUp }) else { return }
    let schema = try writerSchema(connection)
    let targets = connection.schemaTargets
    // A trigger that names a column keeps it from being dropped.
    let altered = Set(targets.altered.map { SQLName($0) })
    for table in schema.tables where altered.contains(SQLName(table.name)) {
      for trigger in TriggerSQL(table).triggers {
        try connection.script("DROP TRIGGER IF EXISTS \(identifier: trigger.name)")
      }
    }
    let created = state.withLock { $0.changes.created }
    var dropping: Rebuild?
    if let name = targets.dropped.first, let table = schema.tables.first(where: { SQLName($0.name) == SQLName(name) }) {
      let copies = schema.tables.filter { created.contains($0.id) && $0.id != table.id }
      dropping = try RebuildReader(connection: connection).rebuild(of: table, copies: copies)
      dropping?.time = recorder.lastTime
    }
    state.withLock { state in
      state.changes.hasChanged = true
      state.changes.before = schema
      state.changes.dropping = dropping
    }
  }

  /// Called after a statement that failed, too: its triggers must be there again.
  package func didChangeSchema(_ connection: Connection) throws {
    // Some failures have rolled the whole transaction back already.
    guard let before = state.withLock({ $0.changes.before }), connection.isInTransaction else { return }
    try recorder.lookAgain(at: SchemaReader(connection: connection))
    do { try follow(from: before, connection) } catch {
      // The statement has done its work: unless a savepoint undoes it, the transaction must not commit.
      state.withLock { $0.changes.failure = SchemaChanges.Failure(error: error, before: before) }
      throw error
    }
  }

  private func follow(from before: TrackedSchema, _ connection: Connection) throws {
    let snapshot = try schemaReader(connection).snapshot(reusing: before.snapshot)
    let edits = SchemaEdit.edits(from: before.snapshot, to: snapshot)
    var catalog = before.catalog
    var replacements: [Replacement] = []
    for table in snapshot.sorted where catalog[table.name]?.state.isTracked == true || !table.localColumns.isEmpty {
      try table.checkLocalColumns()
    }
    for edit in edits {
      if let replacement = replacement(edit, catalog) {
        catalog.apply(edit)
        if let table = snapshot[replacement.name] {
          let original = replacement.rebuild.original.id
          catalog.replace(original, by: table, state: before.catalog.tables[original]?.state ?? .tracked)
        }
        replacements.append(replacement)
      } else {
        try follow(edit, &catalog, snapshot)
      }
    }
    try save(catalog, over: before.catalog, connection)
    let schema = try install(catalog, snapshot, connection)
    for replacement in replacements { try log(replacement, schema, connection) }
    try adoptAtOnce(catalog, over: before.catalog, schema, connection)
    try adoptUncovered(edits, before, schema, connection)
  }

  /// A column that stayed on this device has, by a new name of it or of its table, become one that does not.
  private func adoptUncovered(
    _ edits: [SchemaEdit], _ before: TrackedSchema, _ schema: TrackedSchema, _ connection: Connection
  ) throws {
    var uncovered: Set<SchemaColumnName> = []
    for case .columnAdded(let table, let column) in edits {
      guard let id = schema.catalog[table]?.id, let old = before.tables.first(where: { $0.id == id }),
        old.localColumns.count > (schema.snapshot[table]?.localColumns.count ?? 0)
      else { continue }
      uncovered.insert(SchemaColumnName(table: SQLName(table), column: SQLName(column)))
    }
    if uncovered.isEmpty { return }
    try LocalColumns(changelog: self, connection: connection).adopt(schema, over: before.catalog) {
      uncovered.contains(SchemaColumnName(table: SQLName($0), column: SQLName($1)))
    }
  }

  private func follow(_ edit: SchemaEdit, _ catalog: inout Catalog, _ snapshot: SchemaSnapshot) throws {
    let isOpen = state.withLock { $0.isOpen }
    catalog.apply(edit)
    switch edit {
    case .created(let name):
      guard let table = snapshot[name], !isUntracked(name) else { return }
      try table.checkTrackable()
      catalog.track(table, state: .tracked)
      if let id = catalog[name]?.id { state.withLock { _ = $0.changes.created.insert(id) } }
    case .renamed(let old, let new):
      if let id = catalog[new]?.id {
        state.withLock { state in
          if state.changes.originalNames[id] == nil { state.changes.originalNames[id] = SQLName(old) }
        }
      }
      guard let table = snapshot[new] else { return }
      if isUntracked(new) {
        catalog.untrack(new)
      } else if isUntracked(old), isOpen {
        try table.checkTrackable()
        catalog.track(table, state: .adopting)
      }
    case .dropped, .columnAdded, .columnDropped, .columnRenamed: break
    }
  }

  /// Writes the catalogue, and notes what was renamed in it.
  func save(_ catalog: Catalog, over old: Catalog, _ connection: Connection) throws {
    try CatalogTables(connection: connection).save(catalog, over: old)
    // Nobody has seen a name yet.
    if try MetaValue.needed.get(connection) == nil { return }
    var former = try FormerNames(connection)
    if former.note(from: old, to: catalog, after: recorder.currentTransaction - 1) { try former.save(connection) }
  }

  /// Makes the triggers what they must be, and remembers the schema.
  func install(_ catalog: Catalog, _ snapshot: SchemaSnapshot, _ connection: Connection) throws -> TrackedSchema {
    var schema = TrackedSchema(version: 0, snapshot: snapshot, catalog: catalog)
    let plan = TriggerPlan(
      wanted: schema.tables.map { ($0.name, TriggerSQL($0)) },
      present: try SchemaReader(connection: connection).triggers())
    for name in plan.drops { try connection.script("DROP TRIGGER \(identifier: name)") }
    for sql in plan.creates { try connection.script("\(raw: sql)") }
    schema.version = try connection.schemaVersion()
    let installed = schema
    state.withLock { $0.schema = installed }
    return installed
  }

  /// A table that holds rows and was untracked took a tracked name.
  private func adoptAtOnce(
    _ catalog: Catalog, over old: Catalog, _ schema: TrackedSchema, _ connection: Connection
  ) throws {
    for table in schema.tables
    where catalog.tables[table.id]?.state == .adopting && old.tables[table.id]?.state != .adopting {
      let batch = AdoptionBatch(changelog: self, connection: connection)
      while try batch.adopt(table).hasMore {}
    }
  }

  // MARK: - Reading

  /// The tracked tables as the connection sees them.
  package func trackedTables(_ connection: Connection) throws -> [TrackedTable] {
    guard try LogTables.exist(connection) else { return [] }
    if connection.role == .writer { return try writerSchema(connection).tables }
    let version = try connection.schemaVersion()
    if let known = state.withLock({ $0.readerTables }), known.version == version { return known.tables }
    let tables = try TrackedSchema.load(schemaReader(connection), reusing: nil).tables
    state.withLock { $0.readerTables = (version, tables) }
    return tables
  }

  /// The schema as the writer sees it. Its version tells whether a savepoint or another process has changed it.
  func writerSchema(_ connection: Connection) throws -> TrackedSchema {
    let known = state.withLock { $0.schema }
    if let known, try connection.schemaVersion() == known.version { return known }
    let schema = try TrackedSchema.load(schemaReader(connection), reusing: known)
    state.withLock { $0.schema = schema }
    return schema
  }
}
