import DimpleRemote
import DimpleSync

/// `verify()` and `repair()`: they find nothing where nothing was done to the bucket.
extension Simulation {
  func check(_ device: Device, repairs: Bool) async throws {
    tally.count(repairs ? "repair" : "verify")
    do {
      if repairs {
        let report = try await device.engine.repair()
        tally.count("transaction sent again", Int(report.resentTransactions))
        tally.count("row corrected", report.correctedRows)
        try judge(report.found, device)
      } else {
        try judge(await device.engine.verify(), device)
      }
    } catch is CancellationError where Task.isCancelled {
      // It happened amid a sync that was called off.
    } catch let error as RemoteError {
      guard script.settings.isHostile else {
        throw SimulationFailure("a check threw", "device \(device.index): \(error)")
      }
    }
    try note(device)
  }

  /// At the end, whatever was done before. Where a copy lost its name to another, the packs that it put under it stay, and are
  /// told.
  func checkHealth(_ fleet: [Device]) async throws {
    // What an owner damaged may have been removed since, as its author took it for covered.
    if script.settings.isHostile, script.settings.historySeconds != nil { return }
    guard !script.settings.hasCopies, let device = fleet.last else { return }
    // By a listing that lacks an old pack, its author may remove a later one first; it removes the other when it looks again.
    let mayHaveGaps = script.settings.historySeconds != nil
    let findings = try await device.engine.verify().findings.filter { !mayHaveGaps || $0.code != .missingPacks }
    guard findings.isEmpty else {
      throw SimulationFailure("not healthy at the end", "device \(device.index): \(findings)")
    }
  }

  private func judge(_ report: HealthReport, _ device: Device) throws {
    if script.settings.isHostile || script.settings.hasCopies { return }
    // An older app's deletes leave values unknown; that is told.
    if report.findings.allSatisfy({ $0.code == .unknownValues }) { return }
    throw SimulationFailure("ill for no reason", "device \(device.index): \(report.findings)")
  }
}
