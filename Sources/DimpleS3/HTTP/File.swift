#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A file that is read or written in one go, closed when released. Its calls block.
final class File: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Opens an existing file.
  init(reading path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor != -1 else { throw FileError(path: path, number: errno) }
  }

  /// Makes a new, empty file; one that is there already is an error.
  init(creating path: String) throws(FileError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor != -1 else { throw FileError(path: path, number: errno) }
  }

  deinit { close(descriptor) }

  /// In bytes.
  func size() throws(FileError) -> Int64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(path: path, number: errno) }
    return Int64(status.st_size)
  }

  /// Fills the beginning of `buffer`; returns how much, 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      #elseif canImport(Glibc)
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      #elseif canImport(Musl)
        let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 { return count }
      if errno != EINTR { throw FileError(path: path, number: errno) }
    }
  }

  /// Appends all of `bytes`.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
      if count >= 0 {
        written += count
      } else if errno != EINTR {
        throw FileError(path: path, number: errno)
      }
    }
  }

  /// Goes on reading from there.
  func seek(to offset: Int64) throws(FileError) {
    guard lseek(descriptor, off_t(offset), SEEK_SET) != -1 else { throw FileError(path: path, number: errno) }
  }

  /// Waits until what was written is on the disk.
  func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(path: path, number: errno) }
  }

  /// Gives a file another name, replacing what has it.
  static func move(_ path: String, to target: String) throws(FileError) {
    guard rename(path, target) == 0 else { throw FileError(path: target, number: errno) }
  }

  /// Removes a file if it is there.
  static func remove(_ path: String) { unlink(path) }
}

/// A call of the C library about a file of this device that failed.
package struct FileError: Error, CustomStringConvertible {
  package let path: String
  /// `errno`
  package let number: Int32

  /// Whether the disk (or the quota) is full.
  var isOutOfSpace: Bool { [ENOSPC, EDQUOT, EFBIG].contains(number) }
  /// Whether there is no such file or folder.
  var isMissing: Bool { [ENOENT, ENOTDIR].contains(number) }
  /// Whether permissions forbid it.
  var isForbidden: Bool { [EACCES, EPERM, EROFS].contains(number) }

  package var description: String { "\(path): \(String(cString: strerror(number)))" }
}
