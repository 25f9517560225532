internal import DimpleMutex
package import DimpleStore

/// What opening a database brings in step: the schema may be older than tracking, or another program may have changed it.
extension Changelog {
  package func databaseDidOpen(_ database: Database) throws {
    state.withLock { $0.database = database }
    defer {
      state.withLock { $0.isOpen = true }
      observeFromHere(database)
    }
    if try isInStep(database) { return }
    do {
      try database.write { connection in
        try connection.withInternalAccess { try bringInStep(connection, takesNewTables: true) }
      }
    } catch let error as StoreError where error.code == .readOnly {
      // A database that cannot be written has nothing to track.
      return
    }
    try adopt(progress: options.adoptionDidProgress)
  }

  /// The usual case, at the price of a read.
  private func isInStep(_ database: Database) throws -> Bool {
    let found = try database.read { connection -> ReplicaID? in
      guard try LogTables.exist(connection) else { return nil }
      guard try LogTables.isCurrent(connection) else { return nil }
      if try !database.configuration.isReadOnly && hasMoved(connection) { return nil }
      guard try MetaValue.schemaVersion.get(connection) == connection.schemaVersion(),
        try MetaTable(connection: connection)["untracked"] == untrackedText,
        try MetaTable(connection: connection)["untrackedColumns"] == untrackedColumnsValue,
        try MetaTable(connection: connection)["updateRevives"] == updateRevivesValue,
        try !CatalogTables(connection: connection).load().tables.values.contains(where: { $0.state == .adopting }),
        let replica = try MetaValue.replica.get(connection)
      else { return nil }
      return ReplicaID(rawValue: UInt64(bitPattern: replica))
    }
    guard let found else { return false }
    state.withLock { state in
      state.replica = found
      state.committedReplica = found
    }
    return true
  }

  /// `dimple_meta` keeps which tables were untracked when the triggers were last in step.
  private var untrackedText: SQLValue { .text(options.untracked.sorted().joined(separator: "\n")) }

  /// The columns likewise; missing for none.
  private var untrackedColumnsValue: SQLValue { localNames.isEmpty ? .null : .blob(localNames.bytes) }

  /// The tables in which a write revives a row; missing for none.
  private var updateRevivesValue: SQLValue {
    options.updateRevives.isEmpty ? .null : .text(options.updateRevives.sorted().joined(separator: "\n"))
  }

  /// Makes catalogue and triggers what the schema demands.
  ///
  /// - Parameter takesNewTables: Whether tables that have no ids yet are tracked from now on: not before the migrations are
  ///   through, which may mend what cannot be tracked, nor in the middle of other work.
  func bringInStep(_ connection: Connection, takesNewTables: Bool) throws {
    let reader = schemaReader(connection)
    let snapshot = try reader.snapshot(reusing: SchemaSnapshot())
    let old = try CatalogTables(connection: connection).load()
    var catalog = old
    let triggers = try reader.triggers()
    for edit in ForeignEdits(old, snapshot, triggers).edits { catalog.apply(edit) }
    for table in snapshot.sorted {
      let known = catalog[table.name]
      if isUntracked(table.name) {
        catalog.untrack(table.name)
      } else if takesNewTables || known?.state.isTracked == true {
        try table.checkTrackable()
        let own = triggers.filter { known != nil && TriggerSQL.table(ofTrigger: $0.name) == known?.id }
        let isWhole = known?.state == .tracked && own.count == TriggerSQL.count
        catalog.track(table, state: try isWhole || !hasRows(table, connection) ? .tracked : .adopting)
      }
    }
    try save(catalog, over: old, connection)
    let schema = try install(catalog, snapshot, connection)
    if takesNewTables {
      let meta = MetaTable(connection: connection)
      let before = try LocalColumns.before(connection)
      try LocalColumns(changelog: self, connection: connection).adopt(schema, over: old) { before.contains($1, of: $0) }
      try meta.set("untracked", untrackedText)
      try meta.set("untrackedColumns", untrackedColumnsValue)
      try meta.set("updateRevives", updateRevivesValue)
    }
    state.withLock { $0.changes.hasChanged = true }
  }

  /// Refuses a commit after a change of the schema that could not be followed, unless it was undone since.
  func checkFollowed(_ connection: Connection) throws {
    guard let failure = state.withLock({ $0.changes.failure }) else { return }
    let schema = try TrackedSchema.load(schemaReader(connection), reusing: nil)
    let plan = try TriggerPlan(
      wanted: schema.tables.map { ($0.name, TriggerSQL($0)) },
      present: SchemaReader(connection: connection).triggers())
    let isNew = schema.snapshot.tables.values.contains { table in
      schema.catalog[table.name] == nil && !isUntracked(table.name) && failure.before.snapshot[table.name] == nil
    }
    if isNew || plan != TriggerPlan(wanted: [], present: []) { throw failure.error }
  }

  /// Notes in the running transaction that the triggers are in step with the schema that it leaves, unless there are tables
  /// that the next opening has to look at.
  func rememberSchemaVersion(_ connection: Connection) throws {
    guard state.withLock({ $0.changes.hasChanged }) else { return }
    let schema = try writerSchema(connection)
    state.withLock { $0.changes.version = schema.version }
    let isKnown = schema.snapshot.tables.values.allSatisfy { schema.catalog[$0.name] != nil || isUntracked($0.name) }
    if isKnown { try MetaValue.schemaVersion.set(schema.version, connection) }
  }

  private func hasRows(_ table: SchemaTable, _ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM \(SQL.quoted(identifier: table.name)) LIMIT 1")
    defer { statement.reset() }
    return try statement.step()
  }
}
