internal import DimpleMutex
internal import Dispatch

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// Runs the closures of asynchronous callers off the threads that all tasks share, which must never wait for a disk.
///
/// Waking a thread takes as long as a short transaction. So where one job follows another closely, the thread that ran the
/// first stays awake for a moment, and takes the next one without being woken: see
/// docs/decisions/0011-a-thread-stays-awake-within-a-burst.md.
final class Worker: @unchecked Sendable {  // only who was lent the slot submits, so that jobs take turns
  typealias Job = @Sendable () -> Void

  private enum State {
    /// No thread waits: a job wakes one.
    static let asleep = 0
    /// A thread is awake and waits for the next job.
    static let awake = 1
    /// The next job is there, for the thread that is awake.
    static let given = 2
  }

  /// Where the thread is one of; for what does not hurry.
  let queue: DispatchQueue
  private let patienceNanoseconds: UInt64
  private let state = Atomic(State.asleep)
  /// Written by the submitter, then taken by the thread that is awake.
  private var next: Job?
  /// When the last job was done.
  private var lastEnd: UInt64 = 0
  /// Whether the job at hand came so soon after the one before that another one may.
  private var isBurst = false

  /// - Parameter patienceNanoseconds: how long the thread stays awake, and how soon a job must follow another for that.
  init(label: String, patienceNanoseconds: UInt64 = 50_000) {
    queue = DispatchQueue(label: label)
    self.patienceNanoseconds = patienceNanoseconds
  }

  /// Runs the job after the one before it. Returns at once.
  func submit(_ job: @escaping Job) {
    isBurst = lastEnd > 0 && isWithinPatience
    next = job
    if !change(from: State.awake, to: State.given) { queue.async { self.runJobs() } }
  }

  /// Called by the job when it is done but for what others wait for: from here on, the next one may be submitted.
  func expectNext() {
    lastEnd = DispatchTime.now().uptimeNanoseconds
    if isBurst { state.store(State.awake, ordering: .releasing) }
  }

  private func runJobs() {
    repeat {
      let job = next
      next = nil
      job?()
    } while awaitNext()
  }

  /// Whether there is a next job, waited for as long as that is worth while.
  private func awaitNext() -> Bool {
    while state.load(ordering: .acquiring) == State.awake {
      if isWithinPatience {
        sched_yield()
      } else if change(from: State.awake, to: State.asleep) {
        return false
      }
    }
    return change(from: State.given, to: State.asleep)
  }

  private func change(from old: Int, to new: Int) -> Bool {
    state.compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
  }

  private var isWithinPatience: Bool { DispatchTime.now().uptimeNanoseconds &- lastEnd < patienceNanoseconds }
}
