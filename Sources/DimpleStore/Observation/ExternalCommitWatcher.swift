/// Notices other processes' commits.
package final class ExternalCommitWatcher: Sendable {
}

/// The watcher that all observations of a database share, while there is one.
struct WeakWatcher {
  weak var watcher: ExternalCommitWatcher?
}

extension Database {
  func watcher() -> ExternalCommitWatcher? { nil }
}
