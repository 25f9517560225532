internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Gives a database the name under which others are to hear what it writes, in the running write transaction: when it first
/// syncs, and again where it shares that name with a copy. The key comes with the name.
///
/// What both copies wrote before they parted stays under the old name, and can still be sent under it to vaults that lack
/// it: whichever copy does, says the same. What came after is under the new name from its first transaction on, with the
/// times it had; what is under the old name after the parting is taken in as anybody's, also where this copy wrote it.
/// docs/decisions/0022-what-a-copy-takes-along.md weighs it.
struct NameChange {
  let connection: Connection
  let changelog: Changelog
  let vault: any Vault

  /// Before a sync: from then on there is a name with its key, without which nothing can be sent.
  func prepare() throws {
    try takeFirst()
    try follow()
    // As where a version that made the key at the first push had taken a name, and sent nothing yet.
    if try SyncSetting.signingKey.get(connection) == nil { try makeKey(of: changelog.replicaID) }
  }

  /// Before anything is sent or merged: all that is in the log gets a name that no copy of the file has.
  ///
  /// A file may be copied before it first syncs: a backup of it is made, or an app brings a filled database along. Were the
  /// name that it has from the beginning the one that others hear, each copy would sign under it with another key, and readers
  /// could believe but one of them.
  private func takeFirst() throws {
    guard try SyncSetting.signingKey.get(connection) == nil, try FormerTable(connection: connection).isEmpty(),
      try SyncSetting.folded.integer(connection) ?? 0 == 0
    else { return }
    try makeKey(of: try changelog.replaceReplicaID(connection))
    // Under what was its name before, nobody has heard of it.
    try changelog.forgetCopied(connection)
  }

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
    try makeKey(of: name)
    try SeenTable.startPushedAgain(connection)
  }

  /// Where the database took another name when it was opened, since the file was found to be a copy: all that was in the log by
  /// then keeps the old one.
  private func follow() throws {
    guard let last = try changelog.copiedAfter(connection) else { return }
    let identities = try changelog.identities(connection)
    if let former = identities.dropLast().last, former.last == last { try keep(former, upTo: last, isPresent: true) }
    try makeKey(of: changelog.replicaID)
    try SeenTable.startPushedAgain(connection)
    try changelog.forgetCopied(connection)
  }

  private func makeKey(of name: ReplicaID) throws {
    let key = try vault.makeSigningKey()
    try SyncSetting.signingKey.set(.blob(key), connection)
    var replicas = try ReplicaTable(connection)
    try replicas.pin(try vault.publicKey(of: key), of: name, connection)
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
    try former.noteContested(
      identity.replica, after: end, upTo: isPresent ? .max : (identity.last ?? split) - identity.offset)
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
