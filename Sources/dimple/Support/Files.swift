#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A file, or standard input, read piece by piece.
struct InputFile {
  private let descriptor: Int32
  private let name: String

  /// - Parameter path: `-` for standard input.
  init(_ path: String) throws {
    name = path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw Failure("Cannot read \(path): \(String(cString: strerror(errno)))") }
  }

  /// Calls `body` with the contents, in order; constant memory. Closes the file.
  func forEachChunk(_ body: ([UInt8]) throws -> Void) throws {
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    var buffer = [UInt8](repeating: 0, count: 256 * 1024)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw Failure("Cannot read \(name): \(String(cString: strerror(errno)))") }
      if count == 0 { return }
      try body(Array(buffer[..<count]))
    }
  }

  func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try forEachChunk { bytes += $0 }
    return bytes
  }
}

/// A file, or standard output, written piece by piece. What is left unfinished leaves no file.
final class OutputFile {
  private let path: String?
  private let temporary: String
  private let descriptor: Int32
  private var isDone = false

  /// - Parameter path: `nil` or `-` for standard output.
  init(_ path: String?) throws {
    self.path = path == "-" ? nil : path
    temporary = (path ?? "") + ".part"
    descriptor = self.path == nil ? STDOUT_FILENO : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw Failure("Cannot write \(temporary): \(String(cString: strerror(errno)))") }
  }

  func write(_ bytes: [UInt8]) throws {
    guard Console.write(bytes, to: descriptor) else {
      throw Failure("Cannot write \(path ?? "standard output"): \(String(cString: strerror(errno)))")
    }
  }

  /// The file is whole: it takes its name.
  func finish() throws {
    guard let path else { return }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw Failure("Cannot write \(path): \(String(cString: strerror(errno)))")
    }
    isDone = true
  }

  deinit {
    guard path != nil else { return }
    close(descriptor)
    if !isDone { unlink(temporary) }
  }
}
