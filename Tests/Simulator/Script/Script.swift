package import DimpleTestSupport

/// All that happens in one run, decided beforehand: the same script is the same run, and a part of it is a smaller run.
package struct Script: Sendable {
  package var seed: UInt64
  var schema: SimulatedSchema
  var settings: Settings
  /// The version of the app on each device at the beginning.
  var versions: [Int]
  package var steps: [Step]

  /// What holds for a whole run.
  package struct Settings: Sendable {
    /// Of a listing, in objects.
    var pageSize = 1000
    var packSize = 8 << 20
    var mergeBatchSize = 50_000
    /// How many new rows go into a statement.
    var rowsPerStatement = 32
    /// In bytes; `nil` for no snapshots.
    var smallestSnapshot: Int?
    var snapshotPartSize = 8 << 20
    /// How long packs stay once snapshots cover them, in seconds; `nil` for ever.
    var historySeconds: Int?
    /// More than 1: requests run at once, and their numbers are left to chance; then nothing depends on these.
    var parallelGets = 1
    /// Databases in files, with readers of their own, instead of in memory.
    var usesFiles = false
    /// The storage tells its own time.
    var tellsTime = false
    /// The devices stay at different versions of the app.
    var endsMixed = false
    /// The bucket's owner interferes, so that objects may be gone for a while.
    var isHostile = false
    /// Databases are copied, or come back from backups: names may change, and clocks repeat.
    var hasCopies = false
    /// The last device syncs with a vault of its own alone, on a stick that the others carry to it.
    var hasStick = false
  }

  package struct Step: Sendable {
    package var device: Int
    package var action: Action
  }

  package indirect enum Action: Sendable {
    /// One transaction of the app.
    case write(Transaction)
    case sync(SyncPlan)
    case clock(ClockMove)
    /// The next version of the app opens the database.
    case migrate
    /// The app ends and begins again.
    case reopen
    /// The database's file goes to another device as well, and both go on with it.
    case copy(to: Int)
    case backUp
    /// The backup takes the database's place.
    case restore
    /// The device syncs with the stick.
    case carry
    /// The device looks whether vault and tables are sound, and perhaps mends what it can.
    case check(repairs: Bool)
    /// The bucket's owner does something to it.
    case owner(Mischief, UInt64)
  }

  package struct Transaction: Sendable {
    package enum Ending: String, Sendable {
      /// A statement that fails ends the transaction.
      case strict
      /// A statement that fails is left out.
      case tolerant
      /// The first half is undone by a savepoint.
      case halfUndone = "half undone"
      case undone
    }

    var statements: [String]
    var ending: Ending
    /// The disk is full: hardly a page may be added.
    var isDiskFull = false
  }

  package struct SyncPlan: Sendable {
    var seed: UInt64 = 0
    /// A request goes wrong once in so many; 0 for never.
    var faultsOneIn = 0
    var kinds: [StorageFault] = []
    /// Of the requests that the first of the ways can strike, only the one of this number goes wrong in it; it counts
    /// from 1 within the sync.
    var onlyRequest: Int?
    var interruption: Interruption?
    /// What happens elsewhere while a request is on its way.
    var meanwhile: [Meanwhile] = []
    /// So many pages may be added to the database: a disk that is full soon.
    var sparePages: Int?

    package static let peaceful = SyncPlan()

    package init(
      seed: UInt64 = 0, kinds: [StorageFault] = [], onlyRequest: Int? = nil, interruption: Interruption? = nil,
      sparePages: Int? = nil
    ) {
      self.seed = seed
      self.kinds = kinds
      self.onlyRequest = onlyRequest
      self.interruption = interruption
      self.sparePages = sparePages
    }
  }

  package struct Meanwhile: Sendable {
    /// Before the request of this number.
    var request: Int
    var steps: [Step]
  }

  /// How a sync is cut off. Requests and commits count from 1, within the sync.
  package enum Interruption: Sendable, Hashable {
    case cancel(request: Int)
    /// The process dies; the request was not sent.
    case dieBefore(request: Int)
    /// The process dies; the request was carried out.
    case dieAfter(request: Int)
    case dieAfterCommit(Int)
  }

  package enum ClockMove: Sendable {
    case by(milliseconds: Int64)
    /// The far future.
    case year2099
    /// It stands still until it is set right.
    case stuck
    /// What the time is.
    case right
  }

  /// What an owner may do to objects.
  package enum Mischief: String, Sendable, CaseIterable {
    case drop, swap, corrupt, truncate, rollBack = "roll back", addJunk = "add junk", renameToAnother = "rename"
  }
}

// MARK: - For people

extension Script: CustomStringConvertible {
  package var description: String {
    var tables = (1...SimulatedSchema.newestVersion).map { "-- version \($0)\n" + schema.script(of: $0) }
    let reviving = schema.reviving(in: SimulatedSchema.newestVersion).sorted()
    if !reviving.isEmpty { tables.append("-- updates revive in \(reviving.joined(separator: ", "))") }
    let lines = steps.enumerated().map { "\($0 + 1). \($1)" }
    return "seed \(seed), app versions \(versions), \(settings)\n" + tables.joined(separator: "\n") + "\n"
      + lines.joined(separator: "\n")
  }
}

extension Script.Step: CustomStringConvertible {
  package var description: String {
    switch action {
    case .write(let transaction):
      "device \(device) writes (\(transaction.ending.rawValue)\(transaction.isDiskFull ? ", disk full" : "")): "
        + transaction.statements.joined(separator: "; ")
    case .sync(let plan): "device \(device) syncs\(plan)"
    case .clock(let move): "device \(device)'s clock: \(move)"
    case .migrate: "device \(device) gets the next version of the app"
    case .reopen: "device \(device) opens its database anew"
    case .copy(let other): "device \(device)'s database is copied to device \(other)"
    case .backUp: "device \(device) is backed up"
    case .restore: "device \(device) is restored"
    case .carry: "device \(device) syncs with the stick"
    case .check(let repairs): "device \(device) \(repairs ? "repairs" : "verifies")"
    case .owner(let mischief, _): "the bucket's owner: \(mischief.rawValue)"
    }
  }
}

extension Script.SyncPlan: CustomStringConvertible {
  package var description: String {
    var parts: [String] = []
    if faultsOneIn > 0 { parts.append("1 in \(faultsOneIn) requests goes wrong (\(kinds.map(\.rawValue)))") }
    if let interruption { parts.append("\(interruption)") }
    if let onlyRequest {
      parts.append("of the requests that can, number \(onlyRequest) goes wrong (\(kinds.map(\.rawValue)))")
    }
    if let sparePages { parts.append("the disk is full after \(sparePages) pages") }
    parts += meanwhile.map { "before request \($0.request): [\($0.steps.map(\.description).joined(separator: " | "))]" }
    return parts.isEmpty ? "" : "; " + parts.joined(separator: "; ")
  }
}
