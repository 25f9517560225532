internal import DimpleRemote

/// Gets, opens, unfolds and verifies one pack.
struct PackFetch {
  let session: SyncSession

  /// In bytes: an object of this size is always taken.
  private static let smallest = 1 << 16

  /// Failures of the far side are thrown; an object that is there but cannot be used is a result.
  ///
  /// - Parameter keptSize: Up to this size, in bytes, it is kept unfolded.
  func fetch(_ candidate: PullPlan.Candidate, keptSize: Int = 0) async throws -> Result<DecodedPack, SyncError> {
    let (vault, limit) = (session.vault, session.options.maximumObjectSize)
    do {
      // Longer than it was listed, it is not what was listed. (Another put of the same contents may fold them otherwise.)
      let listed = max(Int64(Self.smallest), candidate.size.addingReportingOverflow(candidate.size).partialValue)
      let sealed = try await session.storage.get(candidate.key, maximumSize: min(limit, Int(clamping: listed)))
      return .success(
        try PackDecoder.decode(
          vault.open(sealed), name: candidate.name, vault: vault, maximumSize: limit, keptSize: keptSize))
    } catch let error as SyncError {
      return .failure(error)
    } catch let error as RemoteError where [.notFound, .damaged, .tooLarge].contains(error.code) {
      // Not found: its owner joined it into a larger one since the listing, which the next sync finds.
      return .failure(
        SyncError(
          .damagedObject, operation: "fetch a pack", message: error.message, hint: error.hint, underlying: error))
    }
  }

  /// The same for some at a time; in the same order.
  ///
  /// - Parameter keptSize: For all of them together.
  func fetch(
    _ candidates: [PullPlan.Candidate], keptSize: Int = 0
  ) async throws -> [Result<DecodedPack, SyncError>] {
    try await withThrowingTaskGroup(of: (Int, Result<DecodedPack, SyncError>).self) { group in
      for (index, (candidate, share)) in zip(candidates, Self.shares(of: keptSize, candidates)).enumerated() {
        group.addTask { (index, try await fetch(candidate, keptSize: share)) }
      }
      var results: [(Int, Result<DecodedPack, SyncError>)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  /// Nearly all packs unfold to less than so many times their size.
  private static let expectedRatio: Int64 = 16

  /// How much of `size` each may take up unfolded, by its listed size: those that come first may take all.
  static func shares(of size: Int, _ candidates: [PullPlan.Candidate]) -> [Int] {
    var left = size
    return candidates.map { candidate in
      let (expected, overflow) = candidate.size.multipliedReportingOverflow(by: expectedRatio)
      let share = overflow ? left : min(left, Int(clamping: max(0, expected)))
      left -= share
      return share
    }
  }
}
