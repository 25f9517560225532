internal import DimpleChangelog
internal import DimpleStore

/// One pass over vault and replica, which may mend what it finds.
struct HealthCheck {
  let session: SyncSession
  let repairs: Bool

  @discardableResult
  func run(_ report: inout HealthReport) async throws -> RepairReport {
    var repair = RepairReport()
    try await session.fold()
    var corrected: Set<RowKey> = []
    var remembered = try await rememberedRows()
    let awaited = remembered.awaited
    let check = VaultCheck(session: session) { decoded, report in
      corrected.formUnion(try await checkRows(&report, awaited) { rows, _ in try rows.differences(decoded) })
    } onRow: {
      remembered.note($0, $1)
    }
    let outcome = try await check.run(&report)
    if !remembered.rows.isEmpty {
      let found = remembered
      corrected.formUnion(try await checkRows(&report, awaited) { rows, _ in try rows.differences(found) })
    }
    corrected.formUnion(try await checkRows(&report, awaited) { rows, report in try rows.checkPresence(&report) })
    guard repairs else { return repair }
    if !corrected.isEmpty { try await session.fold() }
    repair.correctedRows = corrected.count
    try await OwnRepair(session: session).run(outcome, &repair)
    return repair
  }

  /// With the rows that are to be remembered, and nothing of them yet.
  private func rememberedRows() async throws -> RememberedRows {
    let schema = session.schemas.known
    return try await session.database.read { connection in
      RememberedRows(
        try schema.map { try AwaitedParents(connection, $0).find() } ?? [], try NameTable(connection))
    }
  }

  /// - Returns: The rows that the next merge will decide anew.
  private func checkRows(
    _ report: inout HealthReport, _ awaited: Set<RowKey>,
    _ check: @escaping @Sendable (RowCheck, inout HealthReport) throws -> [RowCheck.Difference]
  ) async throws -> Set<RowKey> {
    guard let schema = session.schemas.known else { return [] }
    let (changelog, repairs, before) = (session.changelog, repairs, report)
    @Sendable func look(_ connection: Connection) throws -> (HealthReport, Set<RowKey>) {
      var report = before
      let rows = try RowCheck(connection, schema, changelog, awaited: awaited)
      let differences = try check(rows, &report)
      for difference in differences { report.add(rows.finding(difference)) }
      guard repairs else { return (report, []) }
      var marked: Set<RowKey> = []
      for difference in differences where try mark(difference, connection) { marked.insert(difference.key) }
      return (report, marked)
    }
    let result =
      try await repairs
      ? session.write { try look($0) }
      : session.database.read { try look($0) }
    report = result.0
    return result.1
  }

  /// Gives the state the values that the table lost, and marks the row as one that its table does not show as it should.
  func mark(_ difference: RowCheck.Difference, _ connection: Connection) throws -> Bool {
    var store = try RowStore(connection)
    guard let entry = try store.load(difference.key) else { return false }
    var state = entry.state
    state.fill(difference.values.map { (id: $0.column, value: $0.value) })
    try store.save(difference.key, state, .undecided, try NameTable(connection))
    return true
  }
}
