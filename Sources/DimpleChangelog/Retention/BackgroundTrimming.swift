internal import DimpleMutex

/// Trims the log beside the app's work: after the first commit that logs something, and then after every so many.
final class BackgroundTrimming: Sendable {
  private struct State {
    var commits = 0
    var task: Task<Void, Never>?
  }

  private static let interval = 256

  private let state = Mutex(State())

  /// A transaction was committed that has logged changes. Returns at once.
  func noticeCommit(_ changelog: Changelog) {
    state.withLock { state in
      defer { state.commits += 1 }
      guard state.commits.isMultiple(of: Self.interval), state.task == nil else { return }
      state.task = Task.detached(priority: .background) { [weak self, weak changelog] in
        // What fails now is done the next time: the database may be closed, suspended or full.
        _ = try? await changelog?.trim() as TrimReport?
        self?.state.withLock { $0.task = nil }
      }
    }
  }

  /// Returns when nothing runs any more.
  func finish() async { await state.withLock { $0.task }?.value }
}
