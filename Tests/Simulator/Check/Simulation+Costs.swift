import DimpleSync
import DimpleTestSupport

/// What a sync costs once all are quiet, as docs/SYNC_ENGINE.md says.
extension Simulation {
  /// The requests of one listing.
  private func listing(_ bucket: Bucket) -> Int {
    let objects = bucket.keys.filter { $0.hasPrefix("log/") }.count
    return max(1, (objects + script.settings.pageSize - 1) / script.settings.pageSize)
  }

  /// A sync with nothing to do costs a listing; tidying up may take one or two more before.
  func checkAtRest(_ device: Device) async throws {
    var requests = 0
    for _ in 0..<3 {
      var report = try await device.engine.sync()
      // What is refused is asked for each time.
      let refused = report.skipped.filter { isOfCopies($0.error) }.count
      report.skipped.removeAll { isOfCopies($0.error) }
      // All is there that ever was, but for what limited history lets go of.
      if script.settings.historySeconds == nil, !report.missing.isEmpty {
        throw SimulationFailure("missing for no reason", "device \(device.index): \(report.missing)")
      }
      // Tidying up is none, a clock that is wrong stays so, and what is missing is told each time.
      (report.joinedPacks, report.removedPacks, report.removedParts, report.wroteSnapshot) = (0, 0, 0, false)
      (report.clockDifference, report.missing) = (nil, [])
      guard report.isEmpty else { throw SimulationFailure("not at rest", "device \(device.index): \(report)") }
      requests = report.traffic.requests
      // A refused snapshot costs more than one.
      if refused > 0, script.settings.smallestSnapshot != nil { return }
      if requests == refused + listing(device.home) { return }
    }
    throw SimulationFailure("a sync with nothing to do asks too much", "device \(device.index): \(requests) requests")
  }

  /// Own changes cost one put besides the listing, another's one get.
  func checkCosts(_ fleet: [Device]) async throws {
    // A snapshot may be due, or looked for, and what is refused is asked for each time.
    guard script.settings.smallestSnapshot == nil, disputed.isEmpty, fleet.count > 1, stick == nil else {
      return
    }
    let (writer, reader) = (fleet[0], fleet[1])
    guard try writeSomething(on: writer) else { return }
    let before = listing(bucket)
    let sent = try await writer.engine.sync()
    tally.count("checked cost")
    if sent.joinedPacks == 0, sent.pushedPacks != 1 || sent.traffic.requests != before + 1 {
      throw SimulationFailure("a push asks too much", "\(sent.traffic.requests) requests, \(before) of them listed")
    }
    let taken = try await reader.engine.sync()
    if taken.pulledTransactions != 1 || taken.traffic.requests != listing(bucket) + 1 {
      throw SimulationFailure(
        "a pull asks too much", "\(taken.traffic.requests) requests, \(listing(bucket)) of them listed")
    }
  }

  /// - Returns: Whether a transaction came of it.
  private func writeSomething(on device: Device) throws -> Bool {
    var random = SeededRandom(seed: script.seed &+ 13)
    let generator = StatementGenerator(schema: script.schema)
    let last = device.record.last
    for _ in 0..<10 where device.record.last == last {
      let statement = generator.statement(version: device.version, &random)
      try write(Script.Transaction(statements: [statement], ending: .strict), on: device)
    }
    return device.record.last > last
  }
}
