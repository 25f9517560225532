internal import DimpleRemote

/// Gets, opens, unfolds and verifies one pack.
struct PackFetch {
  let session: SyncSession

  /// Failures of the far side are thrown; an object that is there but cannot be used is a result.
  func fetch(_ candidate: PullPlan.Candidate) async throws -> Result<DecodedPack, SyncError> {
    let (vault, limit) = (session.vault, session.options.maximumObjectSize)
    do {
      let sealed = try await session.storage.get(candidate.key, maximumSize: limit)
      let lines = try Gzip.decompress(vault.open(sealed), maximumSize: limit)
      return .success(try PackDecoder.decode(lines, name: candidate.name, vault: vault))
    } catch let error as SyncError {
      return .failure(error)
    } catch let error as RemoteError where [.notFound, .damaged, .tooLarge].contains(error.code) {
      // Not found: its owner joined it into a larger one since the listing, which the next sync finds.
      return .failure(
        SyncError(
          .damagedObject, operation: "fetch a pack", message: error.message, hint: error.hint, underlying: error))
    }
  }
}
