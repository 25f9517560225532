internal import DimpleChangelog
internal import DimpleStore

/// What a sync with one vault takes along for the others that the database syncs with.
struct RelayPlan: Sendable {
  /// Those other vaults that were listed before.
  var others: [RelayTable.Vault]
  /// On their way already.
  var spooled: [ReplicaID: RangeSet64]
  /// How many more bytes the spool takes.
  var room: Int64
  /// Its packs are in the own log, and need nobody to carry them.
  var own: ReplicaID
  /// What this sync put into the spool.
  var taken: [RelayTable.Span] = []

  /// Whether a pack that was listed is to be taken along.
  func wants(_ name: PackName) -> Bool {
    name.replica != own && spooled[name.replica]?.contains(name.range) != true
      && others.contains { $0.lacks(name.range, of: name.replica) }
  }

  /// The packs to fetch for the others' sake alone: as few as cover what they lack.
  func fetch(_ listed: [PullPlan.Candidate], besides planned: [PullPlan.Candidate]) -> [PullPlan.Candidate] {
    var covered = spooled
    for pack in planned { covered[pack.name.replica, default: RangeSet64()].insert(pack.name.range) }
    var size: Int64 = 0
    return PullPlan(listed: listed.filter { wants($0.name) }, seen: covered).fetch.filter { pack in
      // One that does not fit must not keep back those behind it.
      guard saturatingSum([size, pack.size]) <= room else { return false }
      size += pack.size
      return true
    }
  }

  /// Puts a pack whose author was checked into the spool, if a vault lacks it and is meant to get it.
  ///
  /// A pack is carried whole, as its signature covers which tables it shows: one that shows a table which a vault leaves out
  /// does not go there.
  mutating func take(_ decoded: DecodedPack, _ connection: Connection) throws {
    let header = decoded.header
    guard header.replica != own, spooled[header.replica]?.contains(header.range) != true else { return }
    let table = RelayTable(connection: connection)
    var isWanted = false
    for index in others.indices where others[index].lacks(header.range, of: header.replica) {
      if header.salts.contains(where: { others[index].leavesOut.contains($0.table.lowercased()) }) {
        try table.cover(header.range, of: header.replica, in: others[index].id, isListed: false)
        others[index].covered[header.replica, default: RangeSet64()].insert(header.range)
      } else {
        isWanted = true
      }
    }
    guard isWanted, Int64(decoded.foldedSize) <= room else { return }
    let span = RelayTable.Span(replica: header.replica, range: header.range)
    try table.spool(.init(span: span, pack: decoded.folded))
    taken.append(span)
    spooled[header.replica, default: RangeSet64()].insert(header.range)
    room -= Int64(decoded.foldedSize)
  }
}
