import DimpleMutex
import DimpleStore

/// Records the hooks that are called, and does in each what a test tells it to.
final class RecordingExtension: DatabaseExtension {
  enum Hook: String, Sendable { case open, didOpen, begin, willChange, didChange, willCommit, didCommit, didRollback }

  private let log = Mutex<[Hook]>([])
  private let actions: [Hook: @Sendable (Connection) throws -> Void]

  init(_ actions: [Hook: @Sendable (Connection) throws -> Void] = [:]) { self.actions = actions }

  /// The hooks called since the last time it was asked.
  func taken() -> [Hook] {
    log.withLock { log in
      defer { log = [] }
      return log
    }
  }

  private func record(_ hook: Hook, _ connection: Connection) throws {
    log.withLock { $0.append(hook) }
    try actions[hook]?(connection)
  }

  func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws { try record(.open, connection) }
  func databaseDidOpen(_ database: Database) throws { log.withLock { $0.append(.didOpen) } }
  func didBeginWrite(_ connection: Connection) throws { try record(.begin, connection) }
  func willChangeSchema(_ connection: Connection) throws { try record(.willChange, connection) }
  func didChangeSchema(_ connection: Connection) throws { try record(.didChange, connection) }
  func willCommit(_ connection: Connection) throws { try record(.willCommit, connection) }
  func didCommit(_ connection: Connection) { log.withLock { $0.append(.didCommit) } }
  func didRollback(_ connection: Connection) { log.withLock { $0.append(.didRollback) } }
}

/// Collects events in the order they come.
final class EventLog: Sendable {
  private let events = Mutex<[CommitEvent]>([])
  func append(_ event: CommitEvent) { events.withLock { $0.append(event) } }
  func taken() -> [CommitEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
