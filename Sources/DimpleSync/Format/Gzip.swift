internal import CZlib

/// gzip (RFC 1952) over zlib: the only file that knows zlib.
enum Gzip {
  private static let chunkSize = 64 * 1024

  /// Compresses; the header carries no time and no name, so equal bytes give equal files.
  static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    guard dimple_deflate_init_gzip(&stream, Z_DEFAULT_COMPRESSION) == Z_OK else { throw failure("compress", stream) }
    defer { deflateEnd(&stream) }
    return try run(&stream, over: bytes, maximumSize: .max, operation: "compress") { deflate(&$0, Z_FINISH) }
  }

  /// Decompresses one whole gzip file.
  ///
  /// - Parameter maximumSize: In bytes of the result; what would grow beyond it is refused before it is held: a few
  ///   kilobytes can unfold to gigabytes.
  /// - Throws: ``SyncError/Code/damagedObject`` for anything that is not exactly one gzip file.
  static func decompress(_ bytes: [UInt8], maximumSize: Int) throws -> [UInt8] {
    var stream = z_stream()
    guard dimple_inflate_init_gzip(&stream) == Z_OK else { throw failure("decompress", stream) }
    defer { inflateEnd(&stream) }
    return try run(&stream, over: bytes, maximumSize: maximumSize, operation: "decompress") { inflate(&$0, Z_NO_FLUSH) }
  }

  /// Feeds all of `bytes` to `step` and collects what it gives until the stream ends.
  private static func run(
    _ stream: inout z_stream, over bytes: [UInt8], maximumSize: Int, operation: String,
    step: (inout z_stream) -> Int32
  ) throws -> [UInt8] {
    var result: [UInt8] = []
    try bytes.withUnsafeBufferPointer { input in
      // zlib declares its input mutable but never writes to it.
      stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.avail_in = UInt32(clamping: input.count)
      var status = Z_OK
      while status != Z_STREAM_END {
        let produced = appendChunk(to: &result) { chunk in
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(chunk.count)
          status = step(&stream)
          return chunk.count - Int(stream.avail_out)
        }
        guard status == Z_OK || status == Z_STREAM_END, produced > 0 || status == Z_STREAM_END else {
          throw failure(operation, stream)
        }
        guard result.count <= maximumSize else {
          throw SyncError(
            .damagedObject, operation: operation, message: "The object unfolds to more than \(maximumSize) bytes.")
        }
      }
      guard stream.avail_in == 0 else { throw failure(operation, stream) }
    }
    return result
  }

  private static func appendChunk(
    to result: inout [UInt8], _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int
  ) -> Int {
    let chunk = [UInt8](unsafeUninitializedCapacity: chunkSize) { buffer, count in
      buffer.initialize(repeating: 0)
      count = fill(buffer)
    }
    result += chunk
    return chunk.count
  }

  private static func failure(_ operation: String, _ stream: z_stream) -> SyncError {
    let reason = stream.msg.map { String(cString: $0) } ?? "the data ends early or goes on too long"
    return SyncError(.damagedObject, operation: operation, message: "Not a whole gzip file: \(reason).")
  }
}
