/// Makes a failing script smaller while it fails in the same way: fewer steps, then simpler ones.
package struct Shrinker {
  private let kind: String
  private let deadline: ContinuousClock.Instant
  package private(set) var attempts = 0

  /// - Parameters:
  ///   - kind: The failure to keep.
  ///   - limit: How long to try.
  package init(_ kind: String, limit: Duration) {
    self.kind = kind
    deadline = ContinuousClock.now + limit
  }

  package mutating func shrink(_ script: Script) async -> Script {
    var smallest = script
    var before = Int.max
    while weight(smallest) < before, ContinuousClock.now < deadline {
      before = weight(smallest)
      smallest = await fewerSteps(smallest)
      smallest = await simplerSteps(smallest)
    }
    return smallest
  }

  private func weight(_ script: Script) -> Int { script.steps.reduce(0) { $0 + 1 + $1.weight } }

  private mutating func stillFails(_ script: Script) async -> Bool {
    guard ContinuousClock.now < deadline else { return false }
    attempts += 1
    do {
      _ = try await Simulation(script).run()
      return false
    } catch let failure as SimulationFailure {
      return failure.kind == kind
    } catch { return kind == "threw" }
  }

  /// Delta debugging: leaves out ever smaller runs of steps.
  private mutating func fewerSteps(_ script: Script) async -> Script {
    var smallest = script
    var size = max(1, smallest.steps.count / 2)
    while true {
      var start = 0
      while start < smallest.steps.count {
        var candidate = smallest
        candidate.steps.removeSubrange(start..<min(start + size, candidate.steps.count))
        if await stillFails(candidate) { smallest = candidate } else { start += size }
      }
      if size == 1 { return smallest }
      size = max(1, size / 2)
    }
  }

  private mutating func simplerSteps(_ script: Script) async -> Script {
    var smallest = script
    for index in smallest.steps.indices {
      var goesOn = true
      while goesOn {
        goesOn = false
        for simpler in smallest.steps[index].simpler {
          var candidate = smallest
          candidate.steps[index] = simpler
          if await stillFails(candidate) {
            smallest = candidate
            goesOn = true
            break
          }
        }
      }
    }
    return smallest
  }
}

extension Script.Step {
  /// How much there is to it.
  fileprivate var weight: Int {
    switch action {
    case .write(let transaction): transaction.statements.count + (transaction.ending == .strict ? 0 : 1)
    case .sync(let plan):
      (plan.faultsOneIn > 0 ? plan.kinds.count : 0) + (plan.interruption == nil ? 0 : 1)
        + (plan.sparePages == nil ? 0 : 1)
        + plan.meanwhile.reduce(0) { $0 + 1 + $1.steps.reduce(0) { $0 + 1 + $1.weight } }
    default: 0
    }
  }

  /// The same with one thing less.
  fileprivate var simpler: [Script.Step] {
    switch action {
    case .write(let transaction): simpler(transaction)
    case .sync(let plan): simpler(plan)
    default: []
    }
  }

  private func simpler(_ transaction: Script.Transaction) -> [Script.Step] {
    var steps: [Script.Step] = []
    for index in transaction.statements.indices where transaction.statements.count > 1 {
      var less = transaction
      less.statements.remove(at: index)
      steps.append(Script.Step(device: device, action: .write(less)))
    }
    if transaction.ending != .strict {
      var less = transaction
      less.ending = .strict
      steps.append(Script.Step(device: device, action: .write(less)))
    }
    return steps
  }

  private func simpler(_ plan: Script.SyncPlan) -> [Script.Step] {
    var plans: [Script.SyncPlan] = []
    func add(_ change: (inout Script.SyncPlan) -> Void) {
      var less = plan
      change(&less)
      plans.append(less)
    }
    if plan.faultsOneIn > 0 {
      add {
        $0.faultsOneIn = 0
        $0.kinds = []
      }
      for index in plan.kinds.indices where plan.kinds.count > 1 { add { $0.kinds.remove(at: index) } }
    }
    if plan.interruption != nil { add { $0.interruption = nil } }
    if plan.sparePages != nil { add { $0.sparePages = nil } }
    for index in plan.meanwhile.indices {
      add { $0.meanwhile.remove(at: index) }
      for step in plan.meanwhile[index].steps.indices {
        add { $0.meanwhile[index].steps.remove(at: step) }
        for simpler in plan.meanwhile[index].steps[step].simpler { add { $0.meanwhile[index].steps[step] = simpler } }
      }
    }
    return plans.map { Script.Step(device: device, action: .sync($0)) }
  }
}
