#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Android)
  internal import Android
#endif

/// The lock that processes pass to one another for one database: an empty file beside it, locked while its holder syncs.
///
/// The system lets go when the process ends, however it ends. The file stays: removing it would let two in at once.
final class FileLock: Sendable {
  /// What came of an attempt.
  enum Attempt {
    case locked(FileLock)
    case heldByAnother
    /// The file system knows no locks, or the file cannot be made.
    case unavailable
  }

  private let descriptor: Int32

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Lets go now; the descriptor is closed with the last reference.
  func unlock() { flock(descriptor, LOCK_UN) }

  /// Tries once; does not wait.
  static func attempt(_ path: String) -> Attempt {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return .unavailable }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let number = errno
      if number == EINTR { continue }
      close(descriptor)
      return number == EWOULDBLOCK ? .heldByAnother : .unavailable
    }
    return .locked(FileLock(descriptor))
  }
}
