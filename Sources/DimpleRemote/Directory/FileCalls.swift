#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// The calls of the C library that a ``DirectoryStorage`` makes, repeated when a signal interrupts them.
///
/// All block; they belong on a thread that may.
struct FileCalls: Sendable {
  /// Asked before each call; a number makes that call fail with it as `errno`. For tests.
  let fault: @Sendable (FileStep) -> Int32?

  /// Runs a call that returns -1 for failure, again for as long as it is interrupted.
  @discardableResult
  private func check<Result: SignedInteger>(
    _ step: FileStep, _ call: () -> Result
  ) throws(FileFailure) -> Result {
    if let number = fault(step) { throw FileFailure(step: step, number: number) }
    while true {
      let result = call()
      if result != -1 { return result }
      let number = errno
      if number != EINTR { throw FileFailure(step: step, number: number) }
    }
  }

  // MARK: Reading

  /// A file's bytes; anything but a regular file (a link, a pipe, a folder) counts as missing.
  func read(_ path: String, maximumSize: Int) throws(FileFailure) -> FileContents {
    let descriptor: Int32
    do {
      // Not blocking: opening a pipe that somebody put into the folder would wait for its writer forever.
      descriptor = try check(.read) { open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
    } catch  where [ENOENT, ENOTDIR, ELOOP, EMLINK, ENXIO].contains(error.number) {
      return .missing
    }
    defer { close(descriptor) }
    var status = stat()
    try check(.read) { fstat(descriptor, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else { return .missing }
    let size = Int64(status.st_size)
    guard size <= Int64(maximumSize) else { return .tooLarge(size) }
    return .whole(try read(descriptor, size: Int(size)))
  }

  /// A file is never changed once it has its name, so what is there at opening is all there is.
  private func read(_ descriptor: Int32, size: Int) throws(FileFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      let offset = filled
      let count = try check(.read) {
        bytes.withUnsafeMutableBytes { platformRead(descriptor, $0.baseAddress.map { $0 + offset }, size - offset) }
      }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(size - filled)
    return bytes
  }

  /// What is at `path` itself, links not followed; `nil` where there is nothing.
  func status(_ path: String) throws(FileFailure) -> FileStatus? {
    var status = stat()
    do {
      try check(.list) { lstat(path, &status) }
    } catch  where [ENOENT, ENOTDIR].contains(error.number) {
      return nil
    }
    #if canImport(Darwin)
      let modified = Int64(status.st_mtimespec.tv_sec)
    #else
      let modified = Int64(status.st_mtim.tv_sec)
    #endif
    return FileStatus(
      isFile: status.st_mode & S_IFMT == S_IFREG, isFolder: status.st_mode & S_IFMT == S_IFDIR,
      size: Int64(status.st_size), modifiedSeconds: modified)
  }

  /// Whether `path` is a folder, links followed.
  func isFolder(_ path: String) throws(FileFailure) -> Bool {
    var status = stat()
    do {
      try check(.list) { stat(path, &status) }
    } catch  where [ENOENT, ENOTDIR].contains(error.number) {
      return false
    }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a folder in no order, `.` and `..` and what is not UTF-8 left out; `nil` where there is no such folder.
  func names(in folder: String) throws(FileFailure) -> [String]? {
    if let number = fault(.list) { throw FileFailure(step: .list, number: number) }
    guard let stream = opendir(folder) else {
      let number = errno
      if [ENOENT, ENOTDIR].contains(number) { return nil }
      throw FileFailure(step: .list, number: number)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else { throw FileFailure(step: .list, number: errno) }
        return names
      }
      // By address: copying the struct would read past the end of a short record.
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { continue }
      let name = String(validatingCString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
      if let name, name != ".", name != ".." { names.append(name) }
    }
  }

  // MARK: Writing

  /// Makes one folder; that it is there already is fine.
  func makeFolder(_ path: String) throws(FileFailure) {
    do {
      try check(.makeFolder) { mkdir(path, 0o777) }
    } catch  where error.number == EEXIST {
      return
    }
  }

  /// Writes a new file and waits until its bytes are on the disk; leaves none behind when that fails.
  func create(_ path: String, _ bytes: [UInt8]) throws(FileFailure) {
    let descriptor = try check(.create) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    defer { close(descriptor) }
    do {
      try fill(descriptor, bytes)
    } catch {
      unlink(path)
      throw error
    }
  }

  private func fill(_ descriptor: Int32, _ bytes: [UInt8]) throws(FileFailure) {
    var written = 0
    while written < bytes.count {
      let offset = written
      written += try check(.write) {
        bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset) }
      }
    }
    try check(.sync) { platformSync(descriptor) }
  }

  /// Gives the file another name, replacing what has it.
  func move(_ path: String, to target: String) throws(FileFailure) {
    try check(.publish) { rename(path, target) }
  }

  /// Gives the file a second name; fails with `EEXIST` where the name is taken.
  func link(_ path: String, to target: String) throws(FileFailure) {
    try check(.publish) { platformLink(path, target) }
  }

  /// Waits until the folder's names are on the disk.
  ///
  /// A folder that is gone has none: another removed what was in it, and then the folder.
  func syncFolder(_ path: String) throws(FileFailure) {
    do {
      let descriptor = try check(.syncFolder) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
      defer { close(descriptor) }
      try check(.syncFolder) { fsync(descriptor) }
    } catch {
      // Some network file systems cannot (EINVAL, ENOTSUP), and write names through anyway.
      guard [ENOENT, EINVAL, ENOTSUP].contains(error.number) else { throw error }
    }
  }

  /// Removes a file; that there is none is fine.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  func removeFile(_ path: String) throws(FileFailure) -> Bool {
    do {
      try check(.remove) { unlink(path) }
      return true
    } catch  where [ENOENT, ENOTDIR].contains(error.number) {
      return false
    }
  }

  /// Removes an empty folder.
  ///
  /// - Returns: Whether it is gone by this.
  func removeEmptyFolder(_ path: String) -> Bool { rmdir(path) == 0 }
}

/// What reading a file gave.
enum FileContents {
  case whole([UInt8])
  /// Longer than its reader accepts; in bytes. None of it was read.
  case tooLarge(Int64)
  case missing
}

/// What the file system says of a name.
struct FileStatus {
  let isFile: Bool
  let isFolder: Bool
  let size: Int64
  let modifiedSeconds: Int64
}

// Named apart from the methods that call them.
private func platformRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

private func platformLink(_ path: String, _ target: String) -> Int32 { link(path, target) }

private func platformSync(_ descriptor: Int32) -> Int32 {
  #if canImport(Darwin)
    // fsync alone leaves the bytes in the drive's cache there; drives that cannot flush it get the plain call.
    if fcntl(descriptor, F_FULLFSYNC) != -1 { return 0 }
  #endif
  return fsync(descriptor)
}
