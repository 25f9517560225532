import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// Clocks that jump, in one connection and in two on one file, as two processes have it. Every run prints its seed where it
/// fails, and the seed repeats it.
@Suite("Stamps under clocks that jump")
struct ClockPropertyTests {
  private static let start: Int64 = 1_800_000_000_000

  /// Ticks and received times against what a clock must promise, without a database.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func aClockRisesAndIsNeverBehindWhatItWasShown(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var clock = HybridClock()
    var wall = Self.start
    var latestWall = HybridTime(rawValue: 0)
    var floor = HybridTime(rawValue: 0)
    var ticks: Int64 = 0
    for _ in 0..<3000 {
      switch random.below(10) {
      case 0: wall += Int64(random.below(172_800_000)) - 86_400_000
      case 1: wall += Int64(random.below(10))
      case 2:
        let received = HybridTime(
          milliseconds: wall + Int64(random.below(20)) - 10, counter: Int64(random.below(4096)))
        try clock.receive(received)
        floor = max(floor, received)
      default: break
      }
      let last = clock.last
      let time = try clock.tick(milliseconds: wall)
      ticks += 1
      latestWall = max(latestWall, HybridTime(milliseconds: wall))
      #expect(time > last && time > floor && time >= HybridTime(milliseconds: wall), "seed \(seed)")
      // It runs ahead of all clocks by no more than one for each tick.
      #expect(time.rawValue <= max(latestWall, floor).rawValue + ticks, "seed \(seed)")
      floor = time
    }
  }

  /// A counter of 12 bits holds 4,096 changes in a millisecond.
  @Test(arguments: [4095, 4096, 4097, 9000])
  func moreThanTheCounterHoldsInOneMillisecond(count: Int) throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY)")
    try t.script(
      "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) INSERT INTO T SELECT i FROM n")
    let times = try t.changes().map(\.stamp.time)
    #expect(times.count == count && Set(times).count == count && times == times.sorted())
    #expect(times.first == HybridTime(milliseconds: t.clock.milliseconds))
    #expect(times.last == HybridTime(rawValue: t.clock.milliseconds << 12 + Int64(count) - 1))
    let ids = try t.changes().map(\.stamp.uuid)
    #expect(
      ids == ids.sorted()
        && ids.last?.milliseconds == t.clock.milliseconds + (count > 4096 ? (Int64(count) - 1) >> 12 : 0))
    // The wall clock catches up.
    t.clock.advance(milliseconds: 10)
    try t.script("INSERT INTO T VALUES (0)")
    #expect(try t.changes().last?.stamp.time == HybridTime(milliseconds: t.clock.milliseconds))
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func twoConnectionsWithClocksOfTheirOwn(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let file = try TemporaryFile()
    let clocks = [ManualClock(milliseconds: Self.start), ManualClock(milliseconds: Self.start - 3_600_000)]
    var open = [try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, x)", path: file.path, clock: clocks[0])]
    open.append(try TrackedDatabase(path: file.path, clock: clocks[1]))
    var received = HybridTime(rawValue: 0)
    /// Times that every later stamp must pass.
    var floors: [(transaction: Int64, time: HybridTime)] = []
    for _ in 0..<80 {
      let index = random.below(2)
      let t = open[index]
      switch random.below(12) {
      case 0: clocks[index].advance(milliseconds: Int64(random.below(7_200_000)) - 3_600_000)
      case 1: clocks[index].advance(milliseconds: Int64(random.below(5)))
      case 2:
        let time = HybridTime(milliseconds: clocks[index].milliseconds + Int64(random.below(60_000)), counter: 7)
        let isKept = random.oneIn(2)
        try? t.database.write { connection in
          try t.changelog.receive(time, connection)
          if !isKept { throw Stop() }
        }
        if isKept {
          received = max(received, time)
          floors.append((try t.lastTransaction, received))
        }
      case 3:
        try t.database.close()
        open[index] = try TrackedDatabase(path: file.path, clock: clocks[index])
      default:
        // Now and then more than the counter holds; now and then for nothing.
        let count = random.oneIn(15) ? 5000 : 1 + random.below(5)
        let isKept = !random.oneIn(5)
        try? t.database.write { connection in
          try connection.execute(
            """
            WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
            INSERT OR REPLACE INTO T SELECT i, \(Int(random.next() >> 1)) FROM n
            """)
          if !isKept { throw Stop() }
        }
      }
    }
    let changes = try open[0].changes()
    #expect(try open[1].changes() == changes, "seed \(seed)")
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp.time < $1.stamp.time }, "seed \(seed)")
    let numbers = changes.map(\.transaction)
    #expect(numbers == numbers.sorted() && Set(numbers) == Set(1...(numbers.last ?? 1)), "seed \(seed)")
    for floor in floors {
      let next = changes.first { $0.transaction > floor.transaction }
      #expect(next.map { $0.stamp.time > floor.time } ?? true, "seed \(seed)")
    }
    #expect(Set(changes.map(\.stamp.replica)).count == 1, "seed \(seed)")
  }
}
