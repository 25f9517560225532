/// What a request carries.
package enum RequestBody: Sendable {
  case empty
  case bytes([UInt8])
  /// The file's first `size` bytes, read while they are sent.
  case file(path: String, size: Int64)

  /// In bytes.
  package var size: Int64 {
    switch self {
    case .empty: 0
    case .bytes(let bytes): Int64(bytes.count)
    case .file(_, let size): size
    }
  }

  /// A reader at the body's beginning.
  ///
  /// - Throws: ``FileError`` when the file cannot be opened.
  package func makeReader() throws -> any BodyReader {
    switch self {
    case .empty: BytesReader([])
    case .bytes(let bytes): BytesReader(bytes)
    case .file(let path, let size): BoundedFileReader(file: try File(reading: path), size: size)
    }
  }
}

/// Gives a body piece by piece. Confined to one thread at a time.
package protocol BodyReader: AnyObject {
  /// Fills the beginning of `buffer`; returns how much, 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
  /// Goes on from `offset` bytes after the beginning: a connection broke before the server had read anything.
  func seek(to offset: Int64) throws
}

private final class BytesReader: BodyReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - offset)
    bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
    offset += count
    return count
  }

  func seek(to offset: Int64) { self.offset = min(max(Int(offset), 0), bytes.count) }
}

private final class BoundedFileReader: BodyReader {
  private let file: File
  private let size: Int64
  private var offset: Int64 = 0

  init(file: File, size: Int64) {
    self.file = file
    self.size = size
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = Int(min(Int64(buffer.count), size - offset))
    guard count > 0 else { return 0 }
    let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    offset += Int64(read)
    return read
  }

  func seek(to offset: Int64) throws {
    try file.seek(to: offset)
    self.offset = offset
  }
}
