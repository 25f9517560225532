import DimpleChangelog
import DimpleStore
import Samples
import Synchronization

/// How long a step of trimming keeps writers waiting, where the log is long.
struct Trimming {
  /// Rows of the log that one step may remove.
  private static let rowsPerStep = 256

  private final class Clock: Sendable {
    let milliseconds = Atomic<Int64>(1_800_000_000_000)
  }

  private let count: Int

  init(size: Size) { count = size(100_000) }

  /// One change to each row of the log, and as many rows in a millisecond as a step may remove: with the clock a
  /// millisecond on, the next call takes one step.
  func figures() throws -> [Figure] {
    let clock = Clock()
    var options = Changelog.Options()
    options.clock = WallClock { clock.milliseconds.load(ordering: .relaxed) }
    options.retention = .duration(.seconds(3600))
    let database = try Database(
      TemporaryFolder.newPath("trimmed.db"), configuration: Configuration().tracking(options),
      migrations: [Migration("create Note", "\(raw: Note.createTable)")])
    for number in 1...count {
      let note = Note(number: number)
      try database.write { connection in
        try connection.prepared("INSERT INTO Note VALUES (?, ?, ?, ?, ?, ?)")
          .execute(note.id, note.title, note.text, note.isDone, note.priority, note.score)
      }
      if number.isMultiple(of: Self.rowsPerStep) { clock.milliseconds.add(1, ordering: .relaxed) }
    }
    clock.milliseconds.add(3_600_000 - Int64(count / Self.rowsPerStep), ordering: .relaxed)
    var times: [Double] = []
    // The log may have been trimmed by itself meanwhile: then fewer steps find anything.
    for _ in 0...count / Self.rowsPerStep + 1 {
      let start = ContinuousClock.now
      let report = try database.changelog?.trim() as TrimReport?
      let time = (ContinuousClock.now - start) / .milliseconds(1)
      guard let report, report.steps == 1 else { throw NotOneStep() }
      if report.removedRows > 0 { times.append(time) }
      clock.milliseconds.add(1, ordering: .relaxed)
    }
    try database.close()
    times.sort()
    return [("median", times.count / 2), ("p99", times.count * 99 / 100), ("longest", times.count - 1)].map {
      Figure(suite: "changelog", name: "a step of trimming, \($0)", value: times[$1], unit: "ms/step")
    }
  }

  private struct NotOneStep: Error {}
}
