internal import DimpleRemote

/// What one sync did.
public struct SyncReport: Sendable {
  /// Own transactions sent, and the packs that held them.
  public var pushedTransactions = 0
  /// Objects written.
  public var pushedPacks = 0
  /// Own packs that were joined into larger ones.
  public var joinedPacks = 0
  /// Others' transactions taken in.
  public var pulledTransactions = 0
  /// Objects read.
  public var pulledPacks = 0
  /// Rows whose tables show something else than before the sync.
  public var changedRows = 0
  /// Rows that are alive but cannot stand in their table, after this sync; ``SyncEngine/held()`` lists them.
  public var heldRows = 0
  /// Transactions left alone for now because their time lies too far ahead of this device's clock.
  public var postponedTransactions = 0
  /// Objects that could not be used. They hold up nobody else's changes and are tried again at the next sync.
  public var skipped: [SkippedObject] = []

  /// Nothing was sent, taken in, or found wrong.
  public var isEmpty: Bool {
    pushedTransactions == 0 && pulledTransactions == 0 && postponedTransactions == 0 && skipped.isEmpty
  }
}

/// An object of the vault that could not be used.
public struct SkippedObject: Sendable {
  /// Its key in the storage.
  public var key: String
  /// Why.
  public var error: SyncError

  /// It was listed, and then was not there.
  var isGone: Bool { (error.underlying as? RemoteError)?.code == .notFound }
}
