import DimpleTestSupport

/// Makes scripts by seed: most are short, some are long; each has some of the troubles, few have all.
package struct ScriptGenerator {
  /// What a seed turned on.
  private struct Troubles {
    var faults = false
    var deaths = false
    var cancels = false
    var meanwhile = false
    var copies = false
    var restores = false
    var clocks = false
    var fullDisks = false
    var migrations = false
    var hostile = false
    var checks = false
    var stick = false
    var bulk = false
  }

  private let seed: UInt64
  private var random: SeededRandom
  private var troubles = Troubles()
  private var settings = Script.Settings()
  private let schema: SimulatedSchema
  /// As far as the script says; a step that is taken out later may leave a device behind it.
  private var versions: [Int] = []
  private static let mostDevices = 8

  package init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed ^ 0x5EED_0F_5C21_97)
    if random.oneIn(3) {
      schema = .classic
    } else {
      var generator = SchemaGenerator(seed: random.next())
      schema = generator.make()
    }
  }

  package mutating func make() -> Script {
    choose()
    let count: Int =
      switch random.below(20) {
      case 0: 120 + random.below(120)
      case 1...4: 40 + random.below(60)
      default: 8 + random.below(32)
      }
    let devices = random.oneIn(8) ? 4 + random.below(3) : 2 + random.below(2)
    versions = (0..<devices).map { _ in
      troubles.migrations ? 1 + random.below(SimulatedSchema.newestVersion) : SimulatedSchema.newestVersion
    }
    let first = versions
    let steps = (0..<count).map { _ in step(depth: 0) }
    return Script(seed: seed, schema: schema, settings: settings, versions: first, steps: steps)
  }

  private mutating func choose() {
    troubles.faults = random.below(4) > 0
    settings.parallelGets = random.oneIn(5) ? 4 : 1
    if settings.parallelGets == 1 {
      troubles.deaths = random.oneIn(2)
      troubles.cancels = random.oneIn(3)
      troubles.meanwhile = random.oneIn(2)
    }
    troubles.copies = random.oneIn(6)
    troubles.restores = random.oneIn(5)
    troubles.clocks = random.oneIn(4)
    troubles.fullDisks = random.oneIn(6)
    troubles.migrations = random.oneIn(3)
    troubles.hostile = random.oneIn(7)
    troubles.checks = random.oneIn(6)
    troubles.bulk = random.oneIn(6)
    settings.pageSize = random.oneIn(2) ? 1 + random.below(5) : 1000
    settings.packSize = random.oneIn(3) ? 8 << 20 : 1 + random.below(600)
    settings.mergeBatchSize = random.oneIn(3) ? 50_000 : 1 + random.below(20)
    settings.usesFiles = random.oneIn(12)
    if random.oneIn(2) {
      settings.smallestSnapshot = 1 + random.below(3000)
      settings.snapshotPartSize = 1 + random.below(2000)
      if random.oneIn(3) { settings.historySeconds = random.below(20_000) }
    }
    // Not drawn, so that older seeds still mean what they meant.
    settings.rowsPerStatement = [2, 3, 32][Int(seed % 3)]
    settings.tellsTime = random.oneIn(3)
    settings.endsMixed = troubles.migrations && random.oneIn(3)
    // To an older app, what a newer one writes under another name is another table's, and a snapshot has it all so.
    if !schema.renames.isEmpty { settings.endsMixed = false }
    settings.isHostile = troubles.hostile
    if random.oneIn(6) { carry() }
    settings.hasCopies = troubles.copies || troubles.restores
  }

  /// A stick, instead of what would take packs away before they are carried, and of copies, which make vaults differ for good.
  private mutating func carry() {
    troubles.stick = true
    settings.hasStick = true
    (troubles.copies, troubles.restores, troubles.hostile) = (false, false, false)
    settings.isHostile = false
    settings.historySeconds = nil
  }

  // MARK: - Steps

  private mutating func step(depth: Int, except busy: Set<Int> = []) -> Script.Step {
    let free = versions.indices.filter { !busy.contains($0) }
    let device = random.pick(free) ?? 0
    // Somebody whose sync is on its way may write, and no more.
    guard !free.isEmpty else { return write(on: random.pick(busy.sorted()) ?? 0) }
    let roll = random.below(100)
    switch roll {
    case 0..<26: return Script.Step(device: device, action: .sync(syncPlan(device, depth: depth, busy: busy)))
    case 26..<30 where troubles.clocks: return Script.Step(device: device, action: .clock(clockMove()))
    case 30..<34 where troubles.migrations && versions[device] < SimulatedSchema.newestVersion && depth == 0:
      versions[device] += 1
      return Script.Step(device: device, action: .migrate)
    case 34..<36 where depth == 0: return Script.Step(device: device, action: .reopen)
    case 36..<39 where troubles.copies && versions.count < Self.mostDevices && depth == 0:
      versions.append(versions[device])
      return Script.Step(device: device, action: .copy(to: versions.count - 1))
    case 39..<42 where troubles.restores && depth == 0:
      return Script.Step(device: device, action: random.oneIn(2) ? .backUp : .restore)
    case 42..<46 where troubles.hostile:
      let mischief = random.pick(Script.Mischief.allCases) ?? .drop
      return Script.Step(device: device, action: .owner(mischief, random.next()))
    case 50..<58 where troubles.stick && depth == 0: return Script.Step(device: device, action: .carry)
    case 46..<50 where troubles.checks:
      return Script.Step(device: device, action: .check(repairs: random.oneIn(2)))
    default: return write(on: depth > 0 && random.oneIn(2) ? random.pick(busy.sorted()) ?? device : device)
    }
  }

  private mutating func write(on device: Int) -> Script.Step {
    let generator = StatementGenerator(schema: schema)
    var statements = (0..<1 + random.below(4)).map { _ in generator.statement(version: versions[device], &random) }
    if troubles.bulk, random.oneIn(8) {
      statements.append(generator.bulk(version: versions[device], rows: 10 + random.below(150), &random))
    }
    let ending: Script.Transaction.Ending =
      switch random.below(12) {
      case 0: .undone
      case 1: .halfUndone
      case 2...6: .tolerant
      default: .strict
      }
    let isFull = troubles.fullDisks && random.oneIn(10)
    return Script.Step(
      device: device, action: .write(Script.Transaction(statements: statements, ending: ending, isDiskFull: isFull)))
  }

  private mutating func clockMove() -> Script.ClockMove {
    switch random.below(9) {
    case 0: .year2099
    case 1, 2: .right
    case 8: .stuck
    case 3: .by(milliseconds: -86_400_000)
    case 4: .by(milliseconds: 3_600_000)
    case 5: .by(milliseconds: 5 * 86_400_000)
    default: .by(milliseconds: Int64(random.below(20_000)) - 10_000)
    }
  }

  private mutating func syncPlan(_ device: Int, depth: Int, busy: Set<Int>) -> Script.SyncPlan {
    var plan = Script.SyncPlan(seed: random.next())
    if troubles.faults, random.below(3) > 0 {
      plan.faultsOneIn = [2, 3, 4, 8][random.below(4)]
      plan.kinds = random.oneIn(2) ? StorageFault.allCases : [random.pick(StorageFault.allCases) ?? .failAfter]
    }
    if troubles.deaths, random.oneIn(3) {
      plan.interruption =
        switch random.below(3) {
        case 0: .dieBefore(request: 1 + random.below(12))
        case 1: .dieAfter(request: 1 + random.below(12))
        default: .dieAfterCommit(1 + random.below(6))
        }
    } else if troubles.cancels, random.oneIn(3) {
      plan.interruption = .cancel(request: 1 + random.below(10))
    }
    if troubles.meanwhile, depth < 2, random.oneIn(3) {
      plan.meanwhile = (0..<1 + random.below(2)).map { _ in
        Script.Meanwhile(
          request: 1 + random.below(8),
          steps: (0..<1 + random.below(3)).map { _ in step(depth: depth + 1, except: busy.union([device])) })
      }
    }
    plan.sparePages = troubles.fullDisks && random.oneIn(4) ? random.below(4) : nil
    return plan
  }
}
