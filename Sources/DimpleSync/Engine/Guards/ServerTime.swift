internal import DimpleRemote
internal import DimpleStore

/// What the storage's own clock said when it answered a listing: a second opinion on this device's.
struct ServerTime: Sendable {
  private let milliseconds: Int64
  private let stopwatch: Stopwatch

  /// `nil` where the storage does not tell, or tells nonsense.
  init?(_ page: ListPage, _ session: SyncSession) {
    guard let time = page.serverTimeMilliseconds, (0..<1 << 48).contains(time) else { return nil }
    milliseconds = time
    stopwatch = Stopwatch(session.options.clock)
  }

  /// The storage's clock now, in milliseconds since 1970.
  var now: Int64 { saturatingSum([milliseconds, stopwatch.elapsed.wholeMilliseconds]) }
}
