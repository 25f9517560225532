public import DimpleChangelog
internal import DimpleRemote

/// What one sync did.
public struct SyncReport: Sendable {
  /// Own transactions sent.
  public var pushedTransactions = 0
  /// Packs written, which hold them.
  public var pushedPacks = 0
  /// Own packs that were joined into larger ones.
  public var joinedPacks = 0
  /// Own packs that were removed, as the history to keep is limited.
  public var removedPacks = 0
  /// A snapshot was written, for devices that come later.
  public var wroteSnapshot = false
  /// A snapshot was taken in. What came by it is not counted as transactions, changes and packs.
  public var mergedSnapshot = false
  /// Others' transactions taken in.
  public var pulledTransactions = 0
  /// Row changes in those.
  public var pulledChanges = 0
  /// Packs read, which hold them.
  public var pulledPacks = 0
  /// Parts of own large values sent.
  public var pushedParts = 0
  /// Parts of others' large values taken from the vault.
  public var pulledParts = 0
  /// Parts of large values that were removed from the vault, as nothing in it referred to them any more.
  public var removedParts = 0
  /// Rows whose tables show something else than before the sync.
  public var changedRows = 0
  /// Rows that are alive but cannot stand in their table, after this sync; ``SyncEngine/held()`` lists them.
  public var heldRows = 0
  /// Of those, the ones that this sync began to hold.
  public var newlyHeldRows = 0
  /// Rows that were deleted and are still shown, because a live row refers to them in a way that forbids the delete, after
  /// this sync; ``SyncEngine/kept()`` lists them.
  public var keptRows = 0
  /// Of those, the ones that this sync began to keep.
  public var newlyKeptRows = 0
  /// Transactions left alone for now because their time lies too far ahead of this device's clock; ``SyncEngine/postponed()``
  /// lists them.
  public var postponedTransactions = 0
  /// Objects that could not be used. They hold up nobody else's changes and are tried again at the next sync.
  public var skipped: [SkippedObject] = []
  /// Packs that the vault lists beyond ``SyncEngine/Options/maximumListedPacks``; the next syncs look at them.
  public var ignoredPacks = 0
  /// Packs of others that were carried here from another vault.
  public var relayedPacks = 0
  /// Packs of others that are not carried here yet, since parts of large values that they refer to could not be had.
  public var waitingPacks = 0
  /// What waits in the database to be carried to another vault, in bytes.
  public var spooledBytes: Int64 = 0
  /// Another copy of this database writes to the vault under the same name, so this one took a new name: the file was copied
  /// to a second device, or restored from a backup.
  public var tookNewName = false
  /// Own transactions that were given earlier times, since this device's clock was ahead when they were made, and nobody has
  /// seen them yet.
  public var restampedTransactions = 0
  /// How far this device's clock is ahead of the storage's, negative where it is behind; `nil` where they agree, to
  /// ``SyncEngine/Options/clockTolerance``, or the storage does not tell.
  public var clockDifference: Duration?
  /// What should be in the vault and was missing from at least two listings in a row.
  public var missing: [MissingTransactions] = []
  /// Replicas that say they have merged the same changes as this database, and have another state.
  public var diverged: [ReplicaID] = []
  /// Concurrent writes to what was written here, the first 1,000 of them; ``SyncEngine/conflicts`` tells them as they come.
  public var conflicts: [SyncConflict] = []
  /// How many there were.
  public var conflictCount = 0
  /// What was asked of the storage; opening the vault counts with an engine's first sync.
  public var traffic = SyncTraffic()
  /// How long the sync was in each phase that it went through, by ``SyncEngine/Options/clock``.
  public var durations: [SyncProgress.Phase: Duration] = [:]
  /// Of the packs taken in.
  var headers: [ReplicaID: PackHeader] = [:]

  /// Nothing was sent, taken in, removed, or found wrong, and no table changed. What is as it was counts for nothing, as rows
  /// that are held still.
  public var isEmpty: Bool { movedNothing && foundNothing }

  private var movedNothing: Bool {
    let counts = [
      pushedTransactions, pushedPacks, joinedPacks, removedPacks, pulledTransactions, pulledPacks, pushedParts,
      pulledParts, removedParts, changedRows, relayedPacks, restampedTransactions,
    ]
    return counts.allSatisfy { $0 == 0 } && !wroteSnapshot && !mergedSnapshot && !tookNewName
  }

  private var foundNothing: Bool {
    newlyHeldRows == 0 && newlyKeptRows == 0 && postponedTransactions == 0 && ignoredPacks == 0
      && clockDifference == nil && skipped.isEmpty && missing.isEmpty && diverged.isEmpty
  }
}

extension SyncReport {
  /// What somebody should know though nothing failed, one sentence each; no secrets, no row's values.
  public var warnings: [SyncWarning] {
    var warnings: [SyncWarning] = []
    if tookNewName {
      warnings.append(
        SyncWarning(
          .copyFound,
          "Another copy of this database syncs with the same vault; this one goes on under a new name. Nothing is lost."
        ))
    }
    warnings += clockWarnings
    warnings += missing.map { SyncWarning($0.isOwn ? .missingPacks : .rolledBack, $0.description) }
    if postponedTransactions > 0 {
      warnings.append(
        SyncWarning(
          .postponed,
          "\(postponedTransactions) transactions lie too far ahead of this device's clock; they wait until it gets there. "
            + "Check the clocks of this device and of the one that wrote them."))
    }
    if newlyHeldRows > 0 {
      warnings.append(
        SyncWarning(.held, "\(newlyHeldRows) rows cannot stand in their tables; SyncEngine.held() lists them and why."))
    }
    if newlyKeptRows > 0 {
      warnings.append(
        SyncWarning(
          .kept, "\(newlyKeptRows) deleted rows are shown until no row refers to them; SyncEngine.kept() lists them."))
    }
    if ignoredPacks > 0 {
      warnings.append(
        SyncWarning(
          .tooManyPacks,
          "The vault lists \(ignoredPacks) packs more than one sync looks at. Sync again; if they do not become fewer, "
            + "somebody fills the vault."))
    }
    if waitingPacks > 0 {
      warnings.append(
        SyncWarning(
          .partsNotCarried,
          "\(waitingPacks) packs from other vaults wait, as parts of large values that they refer to are not at hand. Sync "
            + "with the vaults that they come from, and then with this one."))
    }
    warnings += diverged.map { replica in
      SyncWarning(
        .diverged,
        "This database and replica \(replica) have merged the same changes and differ. Compare their stateFingerprint(), "
          + "and run an integrity check on both.")
    }
    return warnings + skipped.map { SyncWarning(.skipped, "The object \($0.key) could not be used: \($0.error)") }
  }

  private var clockWarnings: [SyncWarning] {
    var warnings: [SyncWarning] = []
    if let clockDifference {
      let isAhead = clockDifference > .zero
      let distance = isAhead ? clockDifference : .zero - clockDifference
      warnings.append(
        SyncWarning(
          isAhead ? .clockAhead : .clockBehind,
          "This device's clock is \(distance.components.seconds) seconds \(isAhead ? "ahead of" : "behind") the storage's."
            + " Set it right."))
    }
    if restampedTransactions > 0 {
      warnings.append(
        SyncWarning(
          .restamped,
          "\(restampedTransactions) transactions were made while this device's clock was ahead; they got earlier times, in"
            + " their order. Nobody had seen them."))
    }
    return warnings
  }
}

/// Something about a sync that did not stop it.
public struct SyncWarning: Sendable, Hashable, CustomStringConvertible {
  /// The kind of warning; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case skipped, postponed, held, kept, copyFound, clockAhead, clockBehind, restamped, missingPacks, rolledBack,
        diverged, tooManyPacks, partsNotCarried
    }
    private let kind: Kind

    /// An object of the vault could not be used.
    public static let skipped = Code(kind: .skipped)
    /// Transactions come from the future.
    public static let postponed = Code(kind: .postponed)
    /// Rows were newly held back.
    public static let held = Code(kind: .held)
    /// Deleted rows are shown on, as others refer to them.
    public static let kept = Code(kind: .kept)
    /// Another replica has another state after the same changes.
    public static let diverged = Code(kind: .diverged)
    /// Another copy of the database was found.
    public static let copyFound = Code(kind: .copyFound)
    /// This device's clock is ahead of the storage's.
    public static let clockAhead = Code(kind: .clockAhead)
    /// This device's clock is behind the storage's.
    public static let clockBehind = Code(kind: .clockBehind)
    /// Own changes got earlier times.
    public static let restamped = Code(kind: .restamped)
    /// Own changes that were sent are no longer in the vault; ``SyncEngine/repair()`` sends them again.
    public static let missingPacks = Code(kind: .missingPacks)
    /// The vault shows less of another replica than this one, or a third, has seen there.
    public static let rolledBack = Code(kind: .rolledBack)
    /// The vault lists more packs than one sync looks at.
    public static let tooManyPacks = Code(kind: .tooManyPacks)
    /// Packs wait to be carried here, for parts of large values.
    public static let partsNotCarried = Code(kind: .partsNotCarried)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of warning.
  public var code: Code
  /// For people, with what to do.
  public var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// One line: code, message.
  public var description: String { "\(code): \(message)" }
}

/// An object of the vault that could not be used.
public struct SkippedObject: Sendable {
  /// Its key in the storage; for a pack on its way to another vault, `spool/`, its author and its transactions.
  public var key: String
  /// Why.
  public var error: SyncError

  /// It was listed, and then was not there.
  var isGone: Bool { (error.underlying as? RemoteError)?.code == .notFound }
}
