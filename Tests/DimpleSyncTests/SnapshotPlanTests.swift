import DimpleChangelog
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Deciding on snapshots")
struct SnapshotPlanTests {
  private let one = ReplicaID(rawValue: 1)
  private let two = ReplicaID(rawValue: 2)

  private func pack(_ replica: ReplicaID, _ range: ClosedRange<Int64>, size: Int64) -> PullPlan.Candidate {
    .init(key: "\(replica)\(range)", name: PackName(replica: replica, range: range, contentHash: []), size: size)
  }

  @Test func ofAPackOnlyTheShareThatIsNewCounts() {
    let plan = SnapshotPlan(listed: [
      pack(one, 1...100, size: 1000), pack(one, 50...100, size: 400), pack(two, 1...5, size: 10),
    ])
    #expect(plan.bytes(beyond: [:]) == 1010)
    #expect(plan.bytes(beyond: [one: RangeSet64([1...75])]) == 260)
    #expect(plan.bytes(beyond: [one: RangeSet64([1...100]), two: RangeSet64([1...5])]) == 0)
  }

  @Test func aSnapshotIsDueOnceThePacksOutgrowIt() {
    let plan = SnapshotPlan(listed: [pack(one, 1...100, size: 1000)])
    #expect(!plan.isDue(covered: [:], size: 0, minimum: 1000))
    #expect(plan.isDue(covered: [:], size: 0, minimum: 999))
    #expect(!plan.isDue(covered: [one: RangeSet64([1...50])], size: 500, minimum: 1))
    #expect(plan.isDue(covered: [one: RangeSet64([1...50])], size: 499, minimum: 1))
  }

  @Test func whatNoPackHasAnyMoreIsMissed() {
    let plan = SnapshotPlan(listed: [
      pack(one, 11...20, size: 5), pack(one, 25...30, size: 5), pack(two, 1...5, size: 5),
    ])
    #expect(plan.missing([:]) == [one: RangeSet64([1...10, 21...24])])
    #expect(plan.missing([one: RangeSet64([1...24])]) == [:])
    #expect(plan.isWorthALook(seen: [:], minimum: 1_000_000))
    #expect(!plan.isWorthALook(seen: [one: RangeSet64([1...24])], minimum: 1_000_000))
    #expect(plan.isWorthALook(seen: [one: RangeSet64([1...24])], minimum: 10))
  }

  @Test func aReaderTakesASnapshotIfItIsNewOrMissesSomethingOrSparesBytes() {
    let plan = SnapshotPlan(listed: [pack(one, 1...100, size: 1000)])
    let vector = [one: RangeSet64([1...90])]
    #expect(plan.isWorthMerging(vector, size: 5000, seen: [:]))
    #expect(plan.isWorthMerging(vector, size: 100, seen: [one: RangeSet64([1...10])]))
    #expect(!plan.isWorthMerging(vector, size: 900, seen: [one: RangeSet64([1...10])]))
    #expect(!plan.isWorthMerging(vector, size: 0, seen: [one: RangeSet64([1...95])]))
    let gap = SnapshotPlan(listed: [pack(one, 80...100, size: 10)])
    #expect(gap.isWorthMerging(vector, size: 5000, seen: [one: RangeSet64([1...60])]))
    #expect(!gap.isWorthMerging([one: RangeSet64([1...60])], size: 5000, seen: [one: RangeSet64([1...60])]))
  }

  @Test func absurdNumbersDoNotTrap() {
    let plan = SnapshotPlan(listed: [
      pack(one, 1 ... .max, size: .max), pack(one, .max ... .max, size: .max), pack(two, 1...2, size: -5),
      pack(two, .max ... .max, size: 1),
    ])
    #expect(plan.bytes(beyond: [one: RangeSet64([5 ... .max])]) >= 0)
    _ = plan.missing([one: RangeSet64([1 ... .max])])
    #expect(plan.isDue(covered: [:], size: .max, minimum: .max) == false)
  }

  // MARK: - What lies there

  private func id(_ covered: Int64, _ writer: ReplicaID) -> SnapshotID { SnapshotID(covered: covered, writer: writer) }

  private func object(_ kind: SnapshotName.Kind, _ id: SnapshotID, _ index: UInt32, hash: UInt8 = 0)
    -> SnapshotCatalog.StoredObject
  {
    let name = SnapshotName(kind: kind, id: id, index: index, contentHash: [UInt8](repeating: hash, count: 16))
    return .init(key: "\(kind)\(id)\(index)\(hash)", name: name, size: 10)
  }

  private func whole(_ id: SnapshotID, parts: Int) -> SnapshotCatalog.Whole {
    .init(manifest: manifest(id, parts: parts), name: object(.manifest, id, UInt32(parts)).name)
  }

  private func manifest(_ id: SnapshotID, parts: Int) -> SnapshotManifest {
    let run = Seen.Run(range: 1...id.covered, chain: PackChain(before: [], after: []))
    return SnapshotManifest(
      vault: "", writer: id.writer, latest: HybridTime(rawValue: 0),
      parts: Array(repeating: .init(hash: [UInt8](repeating: 0, count: 16), size: 10, rows: 1), count: parts),
      replicas: [id.writer: .init(publicKey: [], runs: [run])], publicKey: [])
  }

  @Test func onlyWholeSnapshotsAreCandidatesAndTheNewestComesFirst() {
    let (old, new, partial) = (id(10, two), id(20, one), id(30, one))
    let catalog = SnapshotCatalog(
      [
        object(.part, old, 0), object(.manifest, old, 1), object(.part, new, 0), object(.part, new, 1),
        object(.manifest, new, 2), object(.part, partial, 1), object(.manifest, partial, 2),
      ].shuffled())
    #expect(catalog.candidates.map(\.manifest.name.id) == [new, old])
    #expect(catalog.candidates.first?.size == 20)
  }

  @Test func theNewestTwoStayAndWhatOthersMayBeWriting() {
    let (oldest, previous, mine, theirs) = (id(10, two), id(20, two), id(40, one), id(30, two))
    let kept = [
      object(.part, previous, 0), object(.manifest, previous, 1), object(.part, mine, 0), object(.manifest, mine, 1),
      object(.part, theirs, 0), object(.part, previous, 1), object(.manifest, previous, 2),
    ]
    let useless = [
      object(.part, oldest, 0), object(.manifest, oldest, 1), object(.part, id(15, two), 3),
      object(.part, id(39, one), 0),
      object(.part, mine, 0, hash: 9), object(.manifest, mine, 1, hash: 9),
    ]
    let catalog = SnapshotCatalog((kept + useless).shuffled())
    let superfluous = catalog.superfluous(keeping: whole(mine, parts: 1), previous: whole(previous, parts: 1))
    #expect(Set(superfluous) == Set(useless))
    #expect(superfluous.map(\.name.kind) == [.manifest, .manifest, .part, .part, .part, .part])
    #expect(
      Set(catalog.superfluous(keeping: whole(mine, parts: 1), previous: nil)) == [
        object(.part, id(39, one), 0), object(.part, mine, 0, hash: 9), object(.manifest, mine, 1, hash: 9),
      ])
  }

  // MARK: - Retention

  @Test func onlyOldPacksThatTwoSnapshotsCoverGoAndNeverTheLast() {
    func stored(_ range: ClosedRange<Int64>) -> CompactionPlan.StoredPack {
      .init(key: "\(range)", name: PackName(replica: one, range: range, contentHash: []), size: 1)
    }
    let own = [stored(21...30), stored(11...20), stored(1...10)]
    let all = RangeSet64([1...30])
    func keys(_ covered: [RangeSet64], _ old: Set<Int64>) -> [String] {
      RetentionPlan(own, covered: covered, old: old).superfluous.map(\.key)
    }
    #expect(keys([all, all], [10, 20, 30]) == ["1...10", "11...20"])
    #expect(keys([all, RangeSet64([1...15])], [10, 20, 30]) == ["1...10"])
    #expect(keys([all, all], [10]) == ["1...10"])
    #expect(keys([all], [10, 20, 30]).isEmpty)
    #expect(RetentionPlan([], covered: [all, all], old: []).superfluous.isEmpty)
  }
}
