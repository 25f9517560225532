internal import DimpleMutex
internal import DimpleStore

/// Wakes a reader of the log when somebody has committed, in this process or another. The first wait does not wait.
final class CommitSignal: Sendable {
  private let signal: Signal
  private let commits: CommitObservation

  init(_ database: Database) {
    let signal = Signal(isSet: true)
    self.signal = signal
    commits = database.observeCommits { _ in signal.set() }
  }

  /// Suspends until there was a commit since the last time; `false` once the task is cancelled.
  func wait() async -> Bool { await signal.wait() }
}
