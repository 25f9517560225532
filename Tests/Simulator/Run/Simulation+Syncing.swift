import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport

/// One sync of a device, with what goes wrong and what happens meanwhile, and what may come of it.
extension Simulation {
  func sync(_ plan: Script.SyncPlan, _ device: Device) async throws {
    syncing.insert(device.index)
    defer { syncing.remove(device.index) }
    tally.syncs += 1
    bucket.remember()
    if let spare = plan.sparePages { try limitPages(of: device, spare: spare) }
    let candidates = Candidates()
    device.faults.schedule = Self.schedule(plan, counting: candidates)
    var requests = DeviceStorage.Plan(interruption: plan.interruption)
    for meanwhile in plan.meanwhile {
      requests.meanwhile[meanwhile.request] = { [weak self] in await self?.performMeanwhile(meanwhile.steps) }
    }
    device.storage.begin(requests)
    if case .dieAfterCommit(let count) = plan.interruption { device.life.die(afterCommits: count) }
    let clock = device.clock.milliseconds
    let engine = device.engine
    let task = Task { try await engine.sync() }
    device.storage.onCancel { task.cancel() }
    let result = await task.result
    let end = device.storage.end()
    device.life.die(afterCommits: nil)
    device.faults.schedule = .none
    tally.requests += end.requests
    tally.candidates += candidates.count
    if plan.sparePages != nil { try unlimitPages(of: device) }
    try judge(
      result, plan, device, wasCancelled: end.wasCancelled, clock: min(clock, device.clock.milliseconds))
    if device.life.isDead {
      tally.count("death")
      try device.reopen()
    }
    try note(device)
    try noteSeen(device)
  }

  private static func schedule(_ plan: Script.SyncPlan, counting candidates: Candidates) -> FaultSchedule {
    if let only = plan.onlyRequest, let kind = plan.kinds.first {
      return FaultSchedule { request in
        guard request.possibleFaults.contains(kind) else { return nil }
        return candidates.next() == only ? kind : nil
      }
    }
    return plan.faultsOneIn > 0 ? .seeded(plan.seed, oneIn: plan.faultsOneIn, kinds: Set(plan.kinds)) : .none
  }

  /// There are copies; or a pack that another device carried from another vault, and that came damaged twice, may be a copy's.
  private func mayTakeNewName(_ plan: Script.SyncPlan) -> Bool {
    let damages = !Set<StorageFault>([.corrupt, .truncate]).isDisjoint(with: plan.kinds)
    return script.settings.hasCopies || script.settings.hasStick && damages
  }

  private func judge(
    _ result: Result<SyncReport, any Error>, _ plan: Script.SyncPlan, _ device: Device, wasCancelled: Bool,
    clock: Int64
  ) throws {
    if wasCancelled { tally.count("cancelled sync") }
    switch result {
    case .success(let report):
      if report.tookNewName {
        guard mayTakeNewName(plan) else { throw SimulationFailure("a device took a new name", "\(device.index)") }
        tally.count("new name taken")
      }
      for skipped in report.skipped where !script.settings.isHostile {
        guard mayRefuse(skipped.error, plan, clock: clock) else {
          throw SimulationFailure("an object was refused", "device \(device.index): \(skipped.error)")
        }
      }
      tally.count("postponed transaction", report.postponedTransactions)
    case .failure(let error):
      tally.failedSyncs += 1
      if device.life.isDead || (wasCancelled && error is CancellationError) { return }
      if error is RemoteError, !plan.kinds.isEmpty || script.settings.isHostile { return }
      if let error = error as? StoreError, error.code == .diskFull, plan.sparePages != nil {
        tally.count("disk full in a sync")
        return
      }
      throw SimulationFailure("a sync threw", "device \(device.index): \(error)")
    }
  }

  private func mayRefuse(_ error: SyncError, _ plan: Script.SyncPlan, clock: Int64) -> Bool {
    switch error.code {
    // Only a fault may make an object unusable, and none makes it a forgery.
    case .damagedObject: !plan.kinds.isEmpty
    // Part of a snapshot cannot wait.
    case .fromTheFuture: latest.milliseconds > clock + Self.maximumDrift
    default: isOfCopies(error)
    }
  }

  /// Of two copies that wrote under one name before either could know, a reader takes in the one it meets first; what the
  /// other wrote comes under its new name.
  func isOfCopies(_ error: SyncError) -> Bool {
    script.settings.hasCopies && (error.code == .brokenChain || error.code == .forgedAuthor)
  }

  /// What the device has taken in by now.
  func noteSeen(_ device: Device) throws {
    for index in syncing { if let other = devices[index] { try noteRestamps(of: other) } }
    for (replica, runs) in try vector(of: device.database) {
      guard let last = runs.last?.upperBound, let time = times[replica]?[last] else { continue }
      device.seen = max(device.seen, time)
    }
  }
}
