internal import CZlib

/// Unfolds one gzip file (RFC 1952) piece by piece, from bytes that may be hostile. With ``GzipWriter`` and its stream, the
/// only place that knows zlib.
///
/// Confined to one task.
final class GzipReader {
  /// How much more than this many times its own size a file may unfold to: text compresses to a tenth, a run of one
  /// character to a thousandth.
  private static let maximumRatio = 256
  private static let freeSize = 1 << 20
  private static let pieceSize = 64 * 1024

  private let stream = ZStream()
  private let bytes: [UInt8]
  private let maximumSize: Int
  private var position = 0
  private var size = 0
  private var isAtEnd = false
  private var piece = [UInt8](repeating: 0, count: pieceSize)

  /// - Parameter maximumSize: In bytes of the result.
  init(_ bytes: [UInt8], maximumSize: Int) throws {
    self.bytes = bytes
    self.maximumSize = min(maximumSize, Self.limit(folded: bytes.count))
    guard dimple_inflate_init_gzip(stream.pointer) == Z_OK else { throw stream.failure("decompress") }
  }

  deinit { inflateEnd(stream.pointer) }

  /// What a file of so many bytes may unfold to, in bytes.
  static func limit(folded: Int) -> Int {
    let (product, overflow) = folded.multipliedReportingOverflow(by: maximumRatio)
    return overflow ? .max : freeSize.addingReportingOverflow(product).overflow ? .max : freeSize + product
  }

  /// Hands over the next piece, of at most 64 KiB.
  ///
  /// - Returns: Whether there may be more.
  /// - Throws: ``SyncError/Code/damagedObject`` where the bytes are not exactly one gzip file or unfold to too much.
  func read(_ body: (ArraySlice<UInt8>) throws -> Void) throws -> Bool {
    if isAtEnd { return false }
    var status = Z_OK
    let count = bytes.withUnsafeBufferPointer { input in
      piece.withUnsafeMutableBufferPointer { output in
        // zlib declares its input mutable but never writes to it.
        stream.pointer.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.advanced(by: position))
        stream.pointer.pointee.avail_in = UInt32(clamping: input.count - position)
        stream.pointer.pointee.next_out = output.baseAddress
        stream.pointer.pointee.avail_out = UInt32(output.count)
        let available = Int(stream.pointer.pointee.avail_in)
        status = inflate(stream.pointer, Z_NO_FLUSH)
        position += available - Int(stream.pointer.pointee.avail_in)
        return output.count - Int(stream.pointer.pointee.avail_out)
      }
    }
    guard status == Z_OK || status == Z_STREAM_END, count > 0 || status == Z_STREAM_END else {
      throw stream.failure("decompress")
    }
    size += count
    guard size <= maximumSize else {
      throw SyncError(
        .damagedObject, operation: "decompress", message: "The object unfolds to more than \(maximumSize) bytes.",
        hint: "It is damaged or hostile; no member writes such.")
    }
    isAtEnd = status == Z_STREAM_END
    if isAtEnd, position != bytes.count { throw stream.failure("decompress") }
    try body(piece[..<count])
    return !isAtEnd
  }
}

/// Folds bytes into one gzip file piece by piece. Confined to one task.
final class GzipWriter {
  private static let pieceSize = 64 * 1024

  /// Of packs and snapshots, zlib's own choice, 6, makes files a hundredth smaller, and takes half as long again.
  private static let level: Int32 = 5

  private let stream = ZStream()
  private var result: [UInt8] = []
  private var size = 0
  private var piece = [UInt8](repeating: 0, count: pieceSize)

  private init(level: Int32) throws {
    guard dimple_deflate_init_gzip(stream.pointer, level) == Z_OK else { throw stream.failure("compress") }
  }

  deinit { deflateEnd(stream.pointer) }

  /// The file of what `content` appends. It is asked a second time where the result would unfold to more than a reader
  /// allows; then the bytes are stored as they are.
  static func write(_ content: (GzipWriter) throws -> Void) throws -> [UInt8] {
    let writer = try GzipWriter(level: Self.level)
    try content(writer)
    let folded = try writer.finish()
    if writer.size <= GzipReader.limit(folded: folded.count) { return folded }
    let plain = try GzipWriter(level: Z_NO_COMPRESSION)
    try content(plain)
    return try plain.finish()
  }

  func append(_ bytes: ArraySlice<UInt8>) throws {
    size += bytes.count
    var rest = bytes
    // zlib counts in 32 bits.
    while !rest.isEmpty {
      try run(rest.prefix(1 << 30), Z_NO_FLUSH)
      rest = rest.dropFirst(1 << 30)
    }
  }

  private func finish() throws -> [UInt8] {
    try run([], Z_FINISH)
    return result
  }

  private func run(_ bytes: ArraySlice<UInt8>, _ flush: Int32) throws {
    try bytes.withUnsafeBufferPointer { input in
      stream.pointer.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointer.pointee.avail_in = UInt32(input.count)
      var status = Z_OK
      repeat {
        let count = piece.withUnsafeMutableBufferPointer { output in
          stream.pointer.pointee.next_out = output.baseAddress
          stream.pointer.pointee.avail_out = UInt32(output.count)
          status = deflate(stream.pointer, flush)
          return output.count - Int(stream.pointer.pointee.avail_out)
        }
        // Nothing to do is no failure: the bytes were taken in before.
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
          throw stream.failure("compress")
        }
        result += piece[..<count]
      } while stream.pointer.pointee.avail_out == 0 || (flush == Z_FINISH && status == Z_OK)
    }
  }
}

/// A `z_stream` that stays where it is: zlib remembers its address.
private final class ZStream {
  let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

  init() { pointer.initialize(to: z_stream()) }

  deinit { pointer.deallocate() }

  func failure(_ operation: String) -> SyncError {
    let reason = pointer.pointee.msg.map { String(cString: $0) } ?? "the data ends early or goes on too long"
    return SyncError(.damagedObject, operation: operation, message: "Not a whole gzip file: \(reason).")
  }
}
