import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@testable import DimpleSync

/// SYNC_CASES 37: what a sync asks of the storage, as docs/SYNC_ENGINE.md says, however long the history.
///
/// `DIMPLE_REQUEST_TABLE=full` makes the large vault one of fifty devices and a million changes.
@Suite("The request table")
struct RequestTableTests {
  private static let isFull = ProcessInfo.processInfo.environment["DIMPLE_REQUEST_TABLE"] == "full"

  /// What was asked of the storage in one vault, by what was to do.
  private struct Table: CustomStringConvertible {
    var nothing = CountingStorage.Counts()
    var changes = CountingStorage.Counts()
    var pull = CountingStorage.Counts()
    var newcomer = CountingStorage.Counts()
    var parts = 0

    var description: String {
      "nothing \(nothing)\nchanges \(changes)\npull \(pull)\nnewcomer \(newcomer), \(parts) parts"
    }
  }

  @Test func requestsAndObjectsStayWithinTheTableAsHistoryGrows() async throws {
    let (few, many) = Self.isFull ? (5, 50) : (3, 6)
    let small = try await table(devices: few, syncs: 10, changesPerSync: 10)
    let large = try await table(devices: few, syncs: 100, changesPerSync: 10)
    let wide = try await table(devices: many, syncs: 40, changesPerSync: Self.isFull ? 500 : 5)
    for (table, devices) in [(small, few), (large, few), (wide, many)] {
      #expect((table.nothing.lists, table.nothing.requests) == (1, 1), "\(table)")
      #expect((table.changes.lists, table.changes.puts, table.changes.requests) == (1, 1, 2), "\(table)")
      #expect((table.pull.lists, table.pull.gets, table.pull.requests) == (1, devices, devices + 1), "\(table)")
      #expect(table.parts > 0, "\(table)")
      #expect(table.newcomer.lists <= 2, "\(table)")
      // The manifest, its parts, and of each device what came since.
      #expect(table.newcomer.gets <= 1 + table.parts + 2 * devices, "\(table)")
    }
    // Flat: tenfold history, the same requests, but for parts.
    #expect(large.newcomer.gets - large.parts <= small.newcomer.gets - small.parts + few)
  }

  private func table(devices: Int, syncs: Int, changesPerSync: Int) async throws -> Table {
    let vault = try await LargeVault(devices: devices, syncs: syncs, changesPerSync: changesPerSync)
    try await vault.expectFewObjects()
    let storage = CountingStorage(vault.storage)
    let veteran = try vault.replica(storage)
    #expect(try await veteran.engine.sync().wroteSnapshot)
    var table = Table()
    storage.reset()
    _ = try await veteran.engine.sync()
    table.nothing = storage.reset()
    try await vault.write(to: veteran, 20)
    _ = try await veteran.engine.sync()
    table.changes = storage.reset()
    for replica in vault.writers {
      try await vault.write(to: replica, 1)
      let engine = SyncEngine(replica.database, storage: vault.storage, vault: TransparentVault(), options: vault.alone)
      var report = SyncReport()
      try await Push(session: engine.openSession()).run(&report)
    }
    _ = try await veteran.engine.sync()
    table.pull = storage.reset()
    let newcomer = try vault.replica(storage)
    #expect(try await newcomer.engine.sync().skipped.map(\.error.description) == [])
    table.newcomer = storage.reset()
    table.parts = Int(try await vault.snapshots().candidates.first?.manifest.name.index ?? 0)
    #expect(try newcomer.database.fingerprint() == veteran.database.fingerprint())
    return table
  }
}

/// A vault with a history, as its devices made it in many syncs.
struct LargeVault {
  let storage = MemoryStorage()
  private(set) var writers: [SimulatedReplica] = []
  /// What all pushes sent, about.
  private(set) var pushedBytes: Int64 = 0

  /// Each device writes to a storage of its own, so that none has to take in all the others; then the vault has it all.
  init(devices: Int, syncs: Int, changesPerSync: Int) async throws {
    for device in 0..<devices {
      let own = MemoryStorage()
      let replica = try replica(own, options: alone)
      var plain = (bytes: Int64(0), syncs: Int64(0))
      for sync in 0..<syncs {
        try await write(to: replica, changesPerSync, from: sync * changesPerSync, device: device)
        let report = try await replica.engine.sync()
        if report.joinedPacks == 0 { plain = (plain.bytes + report.traffic.bytesSent, plain.syncs + 1) }
      }
      pushedBytes += plain.bytes * Int64(syncs) / max(1, plain.syncs)
      for object in try await own.listAll(prefix: "log/") {
        try await storage.put(object.key, own.get(object.key, maximumSize: .max))
      }
      writers.append(replica)
    }
  }

  /// No snapshots.
  var alone: SyncEngine.Options {
    var options = SyncEngine.Options()
    options.smallestSnapshot = .max
    return options
  }

  func replica(_ storage: any ObjectStorage, options: SyncEngine.Options? = nil) throws -> SimulatedReplica {
    var early = SyncEngine.Options()
    early.smallestSnapshot = 5_000
    early.snapshotPartSize = 200_000
    return try SimulatedReplica(
      storage: storage, options: options ?? early,
      migrations: [Migration("schema", "CREATE TABLE Item (id INTEGER PRIMARY KEY, text TEXT, n INTEGER)")])
  }

  /// A transaction; three changes in four are to rows that are there.
  func write(to replica: SimulatedReplica, _ count: Int, from first: Int = 0, device: Int = 0) async throws {
    try await replica.database.write { connection in
      for number in first..<first + count {
        let id = device * 1_000_000 + (number.isMultiple(of: 4) ? number : number / 8 * 4)
        try connection.execute(
          "INSERT INTO Item VALUES (\(id), \("text \(number)"), 0) ON CONFLICT DO UPDATE SET n = n + 1")
      }
    }
  }

  func snapshots() async throws -> SnapshotCatalog { try await SnapshotFleet(storage: storage).snapshots() }

  /// At most eight packs per class of size and device; at most twice the history's bytes.
  func expectFewObjects() async throws {
    let objects = try await storage.listAll(prefix: "log/")
    var classes: [[UInt8]: Int] = [:]
    for object in objects {
      guard let record = TransparentVault().openName(String(object.key.dropFirst(4))),
        let name = PackName(record: record)
      else { continue }
      let pack = CompactionPlan.StoredPack(key: object.key, name: name, size: Int(object.size))
      classes[Array(record[0..<8]) + [UInt8(CompactionPlan.sizeClass(pack))], default: 0] += 1
    }
    #expect(classes.values.max() ?? 0 <= CompactionPlan.fanOut)
    #expect(objects.reduce(0) { $0 + $1.size } <= 2 * pushedBytes)
  }
}
