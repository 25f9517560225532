internal import CSQLite
internal import DimpleMutex

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Set from any thread, when the task that waits for a result is cancelled, or when work is to stop.
final class CancellationFlag: Sendable {
  private let flag = Atomic(false)
  /// Of the place in the queue where the work waits its turn, kept under the queue's lock; 0 if it never waited.
  let ticket = Atomic<UInt64>(0)
  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
  /// Only for the holder of what the flag belongs to, before new work.
  func clear() { flag.store(false, ordering: .relaxed) }
}

/// Whether the connection's current work is to stop; SQLite asks while it computes and while it waits for a lock.
///
/// Not `sqlite3_interrupt`, which would hit whoever has the connection by then, and is lost between two statements.
final class Interruption {
  /// The flag of the work at hand; only the connection's holder sets it.
  var flag: CancellationFlag?
  /// As ``flag``, for whatever work the connection is doing: ``Database/interrupt()`` sets it.
  var stop: CancellationFlag?
  var busyTimeoutMilliseconds: Int32 = 0
  private var waitedMilliseconds: Int32 = 0

  /// SQLite asks each time it has run so many virtual machine instructions: well under a millisecond.
  private static let instructionsPerCheck: Int32 = 4000

  var isRequested: Bool { flag?.isSet == true || stop?.isSet == true }

  /// What has begun to end must not be stopped halfway.
  func ignoreRequests() {
    flag = nil
    stop = nil
  }

  /// Starts answering; the connection keeps this object alive.
  func install(on database: OpaquePointer) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    sqlite3_progress_handler(
      database, Self.instructionsPerCheck,
      { context in
        guard let context else { return 0 }
        return Unmanaged<Interruption>.fromOpaque(context).takeUnretainedValue().isRequested ? 1 : 0
      }, context)
    sqlite3_busy_handler(
      database,
      { context, attempt in
        guard let context else { return 0 }
        return Unmanaged<Interruption>.fromOpaque(context).takeUnretainedValue().waitForLock(attempt: attempt)
      }, context)
  }

  /// Sleeps a little longer each time, up to the timeout. 1 to try again.
  private func waitForLock(attempt: Int32) -> Int32 {
    if attempt == 0 { waitedMilliseconds = 0 }
    guard !isRequested, waitedMilliseconds < busyTimeoutMilliseconds else { return 0 }
    let delays: [Int32] = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50]
    let delay = min(
      delays[min(Int(attempt), delays.count - 1)], busyTimeoutMilliseconds - waitedMilliseconds)
    Self.sleep(milliseconds: delay)
    waitedMilliseconds += delay
    return 1
  }

  static func sleep(milliseconds: Int32) {
    usleep(UInt32(max(0, milliseconds)) * 1000)
  }
}
