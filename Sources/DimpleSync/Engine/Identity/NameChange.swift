internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Gives a database that shares its name with a copy another one, in the running write transaction.
///
/// What both copies wrote before they parted stays under the old name, and can still be sent under it to vaults that lack
/// it: whichever copy does, says the same. What came after is under the new name from its first transaction on, with the
/// times it had; what is under the old name after the parting is taken in as anybody's, also where this copy wrote it.
/// docs/decisions/0022-what-a-copy-takes-along.md weighs it.
struct NameChange {
  let connection: Connection
  let changelog: Changelog

  /// - Parameter split: The last local transaction that keeps its name.
  func run(after split: Int64) throws {
    // What the log no longer has cannot be sent again under another name.
    let split = max(split, try changelog.firstTransaction(connection) - 1)
    let before = try changelog.identities(connection)
    for identity in before { try keep(identity, upTo: split, isPresent: identity.last == nil) }
    let name = try changelog.replaceReplicaID(connection, after: split)
    try StateRestamp(connection: connection, changelog: changelog).run(after: split) { number, logged in
      let old = before.first { $0.contains(number) }?.replica ?? name
      return (Stamp(time: logged.time, replica: old), logged)
    }
    try SyncSetting.signingKey.remove(connection)
    try SeenTable.startPushedAgain(connection)
  }

  /// Where the database took another name when it was opened, since the file was found to be a copy: all that was in the log by
  /// then keeps the old one.
  func follow(after last: Int64) throws {
    let identities = try changelog.identities(connection)
    if let former = identities.dropLast().last, former.last == last { try keep(former, upTo: last, isPresent: true) }
    try SyncSetting.signingKey.remove(connection)
    try SeenTable.startPushedAgain(connection)
  }

  /// What of `identity` lies up to `split` becomes a former name's, in every vault.
  private func keep(_ identity: Identity, upTo split: Int64, isPresent: Bool) throws {
    let former = FormerTable(connection: connection)
    var places = try former.all(of: identity.replica)
    if isPresent {
      places += try SeenTable.allPushed(connection)
      if case .blob(let key) = try SyncSetting.signingKey.get(connection) {
        try former.setSigningKey(key, of: identity.replica)
        // Only once this copy has said something under the name, others know it by this key.
        if !places.contains(where: { $0.last > 0 }) { try ReplicaTable.unpin(identity.replica, connection) }
      }
    }
    try former.remove(identity.replica)
    try SeenTable.forget(identity.replica, connection)
    let end = min(identity.last ?? split, split) - identity.offset
    guard end > 0 else { return }
    let signingKey = try former.signingKey(of: identity.replica)
    let log = signingKey.map { key in
      OwnLog(identity: identity, signingKey: key, connection: connection, changelog: changelog)
    }
    for place in places {
      let known = min(place.last, end)
      let chain = try place.last <= end ? place.chain : log?.chain(after: end, from: (place.last, place.chain))
      // Without the chain, the vault has all of it, and what is there under the name is fetched again.
      try former.setPushed(known, chain: chain ?? [], of: identity.replica, to: place.vault)
      guard let chain, !chain.isEmpty, known > 0 else { continue }
      let run = Seen.Run(range: 1...known, chain: PackChain(before: LogChain.start, after: chain))
      try SeenTable(vault: place.vault, connection: connection).insert(run, of: identity.replica)
    }
  }
}
