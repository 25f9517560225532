internal import DimpleDb

/// Prints a live query's results while the demonstration goes on.
struct LivePrinter {
  private let task: Task<Void, any Error>
  private let arrivals: AsyncStream<[Row]>

  /// - Parameter describe: One line for a result.
  init(_ device: Device, _ sql: SQL, _ narrator: Narrator, describe: @escaping @Sendable ([Row]) -> String) {
    let (stream, continuation) = AsyncStream<[Row]>.makeStream()
    arrivals = stream
    let (database, name) = (device.database, device.name)
    task = Task {
      for try await rows in database.observeRows(sql) {
        Console.print("   ┊ live on \(name): \(describe(rows))")
        continuation.yield(rows)
      }
    }
  }

  /// Waits for the first result that satisfies `condition`.
  func wait(until condition: ([Row]) -> Bool) async {
    for await rows in arrivals where condition(rows) { return }
  }

  func stop() { task.cancel() }
}
