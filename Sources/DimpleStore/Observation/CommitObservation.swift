/// An observation of commits, until it is cancelled or let go.
package final class CommitObservation: Sendable {
  private let hub: CommitHub
  private let id: UInt64
  /// Watches for other processes as long as somebody observes.
  private let watcher: ExternalCommitWatcher?

  init(hub: CommitHub, id: UInt64, watcher: ExternalCommitWatcher?) {
    self.hub = hub
    self.id = id
    self.watcher = watcher
  }

  deinit { cancel() }

  /// No more events; one that is being delivered may still arrive.
  package func cancel() { hub.remove(id) }
}
