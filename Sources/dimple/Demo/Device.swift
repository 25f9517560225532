internal import DimpleDb

/// One of the demonstration's replicas: a database file and an engine that syncs it.
struct Device {
  let name: String
  let database: Database
  let engine: SyncEngine

  init(_ name: String, folder: String, migrations: [Migration], vault: DemoVault) throws {
    self.name = name
    database = try Database.open("\(folder)/\(name).db", migrations: migrations)
    engine = SyncEngine(database, remote: vault.remote, encryption: .passphrase(vault.passphrase))
  }

  /// Syncs and says in one line what came of it.
  @discardableResult
  func sync(_ narrator: Narrator) async throws -> SyncReport {
    let report = try await engine.sync()
    guard report.skipped.isEmpty else { throw Failure("\(name): \(report.skipped[0].error)") }
    narrator.line("\(name): \(SyncCommand.text(report))")
    return report
  }
}

/// Where the demonstration's devices meet.
struct DemoVault {
  let remote: Remote
  let passphrase: String
  /// For people: a path or an s3:// URL.
  let place: String
}
