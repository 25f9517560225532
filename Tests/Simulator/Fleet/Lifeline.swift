import DimpleMutex
import DimpleStore

/// The process of a device is dead: nothing it does from then on reaches its database or the storage.
struct DeviceDied: Error {}

/// One life of a device's process, which ends at a chosen request or after a chosen commit.
final class Lifeline: DatabaseExtension {
  private struct State {
    var isDead = false
    var commitsLeft: Int?
  }
  private let state = Mutex(State())

  var isDead: Bool { state.withLock { $0.isDead } }

  func end() { state.withLock { $0.isDead = true } }

  /// Dies right after so many commits; `nil` lives on.
  func die(afterCommits count: Int?) { state.withLock { $0.commitsLeft = count } }

  func didBeginWrite(_ connection: Connection) throws {
    if isDead { throw DeviceDied() }
  }

  func willCommit(_ connection: Connection) throws {
    if isDead { throw DeviceDied() }
  }

  func didCommit(_ connection: Connection) {
    state.withLock { state in
      guard let left = state.commitsLeft else { return }
      state.commitsLeft = left - 1
      if left <= 1 { state.isDead = true }
    }
  }
}
