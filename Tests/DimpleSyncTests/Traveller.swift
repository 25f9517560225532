import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

/// A vault in a storage of its own.
struct Place {
  let id: String
  let storage = MemoryStorage()

  var vault: TransparentVault { TransparentVault(id: id) }
  var parts: [String] { LargeValues.parts(storage) }
  var packs: Int { storage.snapshot.keys.count { $0.hasPrefix("log/") } }
}

/// A device that syncs with some vaults; their storages may be made to fail.
struct Traveller {
  let replica: SimulatedReplica
  private(set) var engines: [String: SyncEngine] = [:]
  private(set) var storages: [String: FaultyStorage] = [:]
  private(set) var counts: [String: CountingStorage] = [:]

  var database: Database { replica.database }

  /// - Parameter place: Options for some of the vaults.
  init(
    _ places: [Place], migrations: [Migration], options: SyncEngine.Options = .init(),
    at place: [String: SyncEngine.Options] = [:]
  ) throws {
    replica = try SimulatedReplica(storage: MemoryStorage(), migrations: migrations)
    for target in places {
      let counting = CountingStorage(target.storage)
      let storage = FaultyStorage(counting, schedule: .none)
      let engine = SyncEngine(
        replica.database, storage: storage, vault: target.vault, options: place[target.id] ?? options)
      (engines[target.id], storages[target.id], counts[target.id]) = (engine, storage, counting)
    }
  }

  /// Nothing may be skipped.
  @discardableResult func sync(_ place: Place) async throws -> SyncReport {
    let report = try await attempt(place)
    #expect(report.skipped.map(\.error.description) == [])
    return report
  }

  func attempt(_ place: Place) async throws -> SyncReport { try await #require(engines[place.id]).sync() }

  func findings(_ place: Place) async throws -> [String] {
    try await #require(engines[place.id]).verify().findings.map(\.description)
  }

  func add(_ id: String, to table: String = "Item") async throws {
    try await database.execute("INSERT INTO \(identifier: table) VALUES (\(id), 1)")
  }

  func items(_ table: String = "Item") throws -> [String] {
    try database.read { try $0.query(String.self, "SELECT id FROM \(identifier: table) ORDER BY id") }
  }
}
