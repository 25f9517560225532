internal import DimpleChangelog

/// Which of a replica's own packs to join into larger ones, so that they stay few: at most a handful per class of size, and
/// each transaction is rewritten once per class.
///
/// A class is a factor of eight in size. Eight neighbours of one class are joined, with the smaller ones between them; so are
/// neighbours that are more than eight for each class they have. Of packs that must not be joined, since together they were
/// too large, there is one for each half of that size or less. Pure.
struct CompactionPlan {
  struct StoredPack: Hashable, Sendable {
    /// The object's key.
    var key: String
    var name: PackName
    /// Sealed, in bytes.
    var size: Int
    /// In bytes; `nil` where only the listing tells of it.
    var unfoldedSize: Int?
  }

  /// What a joined pack must not exceed, in bytes.
  struct Limits {
    var sealed: Int
    var unfolded: Int
  }

  static let fanOut = 8
  /// The end of the smallest class, in bytes.
  private static let smallest = 4096

  /// Packs that a longer one makes superfluous: joined before, or sent twice.
  private(set) var superfluous: [StoredPack] = []
  /// Neighbours to join, oldest first.
  private(set) var groups: [[StoredPack]] = []

  /// - Parameters:
  ///   - packs: Of one replica; they may overlap, and a listing may name one twice.
  init(_ packs: [StoredPack], limits: Limits) {
    var kept: [StoredPack] = []
    for pack in Set(packs).sorted(by: Self.precedes) {
      // The one before begins no later; if it also ends no earlier, it holds all of this one.
      if let last = kept.last, last.name.range.upperBound >= pack.name.range.upperBound {
        superfluous.append(pack)
      } else {
        kept.append(pack)
      }
    }
    let runs = Self.cut(kept) { $1.name.range.lowerBound > $0.name.range.upperBound &+ 1 }
    groups = runs.flatMap { Self.groups(in: $0, limits) }
  }

  /// By their first transaction, the longest first, then by key, so that all copies of a database choose alike.
  private static func precedes(_ left: StoredPack, _ right: StoredPack) -> Bool {
    let (a, b) = (left.name.range, right.name.range)
    if a.lowerBound != b.lowerBound { return a.lowerBound < b.lowerBound }
    return a.upperBound != b.upperBound ? a.upperBound > b.upperBound : left.key < right.key
  }

  /// Runs of neighbours.
  private static func cut(
    _ packs: [StoredPack], where isBorder: (StoredPack, StoredPack) -> Bool
  ) -> [[StoredPack]] {
    packs.reduce(into: []) { runs, pack in
      if let last = runs.last?.last, !isBorder(last, pack) {
        runs[runs.count - 1].append(pack)
      } else {
        runs.append([pack])
      }
    }
  }

  /// The groups of the lowest class that has any.
  private static func groups(in run: [StoredPack], _ limits: Limits) -> [[StoredPack]] {
    for sizeClass in Set(run.map(Self.sizeClass)).sorted() {
      let stretches = run.split { Self.sizeClass($0) > sizeClass }.filter { areMany($0, sizeClass) }
      let groups = stretches.flatMap { stretch in
        var cut = cut(stretch, limits)
        // The rest waits until it is many, or as much as may be joined: else a large pack was rewritten for each small one
        // behind it.
        if cut.count > 1, let rest = cut.last, !areMany(rest[...], sizeClass) { cut.removeLast() }
        return cut.filter { $0.count > 1 }
      }
      if !groups.isEmpty { return groups }
    }
    return []
  }

  private static func areMany(_ packs: ArraySlice<StoredPack>, _ sizeClass: Int) -> Bool {
    packs.count >= fanOut * (sizeClass + 1) || packs.count { Self.sizeClass($0) == sizeClass } >= fanOut
  }

  /// Cuts what would become too large.
  private static func cut(_ packs: ArraySlice<StoredPack>, _ limits: Limits) -> [[StoredPack]] {
    var groups: [[StoredPack]] = []
    var (sealed, unfolded) = (0, 0)
    for pack in packs {
      (sealed, unfolded) = (sealed + pack.size, unfolded + (pack.unfoldedSize ?? pack.size))
      if sealed <= limits.sealed, unfolded <= limits.unfolded, !groups.isEmpty {
        groups[groups.count - 1].append(pack)
      } else {
        groups.append([pack])
        (sealed, unfolded) = (pack.size, pack.unfoldedSize ?? pack.size)
      }
    }
    return groups
  }

  static func sizeClass(_ pack: StoredPack) -> Int {
    var (sizeClass, limit) = (0, smallest)
    while pack.size >= limit, limit < Int.max / fanOut { (sizeClass, limit) = (sizeClass + 1, limit * fanOut) }
    return sizeClass
  }
}
