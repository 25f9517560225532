#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A call of the C library that failed, before it is known what it means for the storage.
struct FileFailure: Error, CustomStringConvertible {
  let step: FileStep
  /// `errno`
  let number: Int32

  var description: String { "\(step.rawValue): \(String(cString: strerror(number)))" }
}

extension RemoteError {
  /// What a failed call means to the caller of a storage.
  ///
  /// - Parameter folder: The storage's folder, named in hints.
  init(_ failure: FileFailure, operation: String, folder: String) {
    let (code, message, hint): (Code, String, String) =
      switch failure.number {
      case ENOSPC, EDQUOT, EFBIG:
        (.storageFull, "No space is left for the object.", "Free space where \(folder) is, or choose another folder.")
      case EACCES, EPERM, EROFS:
        (.accessDenied, "The file system refuses it.", "Check the owner and the permissions of \(folder).")
      case ENAMETOOLONG:
        (.invalidKey, "The path is too long for the file system.", "Choose a folder with a shorter path.")
      case ENOTDIR, EISDIR, ENOTEMPTY:
        (.invalidKey, "A key cannot be another key's folder.", "Use a key that shares no segment with an object's key.")
      case EMFILE, ENFILE, EAGAIN, ENOMEM:
        (.ioFailed, "The system is short of file handles or memory.", "Try again when less is going on.")
      case ESTALE, ENODEV, ENXIO, EIO:
        (.ioFailed, "The disk or the share failed.", "Check that \(folder) is still connected and healthy.")
      default:
        (.ioFailed, "The file system reported an error.", "Check \(folder).")
      }
    self.init(
      code, operation: operation, message: "\(message) (\(failure))", hint: hint,
      isRetryable: [EMFILE, ENFILE, EAGAIN, ENOMEM].contains(failure.number), underlying: failure)
  }
}
