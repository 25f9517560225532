/// A pack that was asked for, on its way into the merged state.
struct FetchedPack: Sendable {
  var candidate: PullPlan.Candidate
  var result: Result<DecodedPack, SyncError>
  let reading = PackReading()
}

/// Where the merging of a pack is: it may take more merge transactions than one, and none reads what one before it read.
final class PackReading: @unchecked Sendable {  // One merge at a time has it.
  /// The transactions read so far whose time has not come.
  var postponed: [PostponedTable.Run] = []
  private var lines: TransactionLines?

  /// The lines that were not read yet, until `body` returns `false`.
  func forEachLine(
    of pack: DecodedPack, _ body: (ArraySlice<UInt8>, Int64) throws -> Bool
  ) throws {
    var lines = try self.lines ?? TransactionLines(pack)
    defer { self.lines = lines }
    try lines.forEach(body)
  }

  /// The next reading begins at the first line.
  func restart() {
    lines = nil
    postponed = []
  }
}
