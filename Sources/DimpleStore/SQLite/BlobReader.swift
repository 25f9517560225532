/// The text or blob of one row and column, read piece by piece, without ever being in memory as a whole.
///
/// ```swift
/// try db.read { connection in
///   let blob = try connection.readBlob(table: "Attachment", column: "data", rowID: id)
///   let header = try blob.read(offset: 0, count: 16)
///   try blob.forEachChunk { try file.write($0) }
/// }
/// ```
///
/// Of text, the bytes are those of the database's encoding, usually UTF-8. Confined to the closure that its connection was
/// given to: it is closed at its end, or by ``close()``, and throws `outsideClosure` from then on. If its row is changed or
/// deleted meanwhile, it throws `blobExpired`. Cancelling the task that waits interrupts between two pieces.
public final class BlobReader {
  /// How many bytes a piece has, unless told otherwise: 64 KiB.
  public static let defaultChunkByteCount = 65_536

  private let handle: BlobHandle

  init(_ handle: BlobHandle) { self.handle = handle }

  /// How many bytes there are.
  public var count: Int { handle.count }

  /// Reads bytes into a buffer, as many as it holds and as there are from the offset on.
  ///
  /// - Parameter offset: from 0 to ``count``, where there is nothing left to read.
  /// - Returns: how many bytes were read; less than asked for only at the end.
  /// - Throws: ``StoreError``: `tooBig` for an offset outside the blob, `blobExpired`, `outsideClosure`, `interrupted`,
  ///   `ioFailed`, `corrupt`.
  @discardableResult
  public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    try handle.read(into: buffer, at: offset)
  }

  /// As ``read(into:at:)``, into an array of its own: up to `count` bytes.
  public func read(offset: Int, count: Int) throws -> [UInt8] {
    let length = max(0, min(count, self.count - max(0, offset)))
    return try [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
      initialized = try handle.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
  }

  /// Reads from the offset to the end, piece by piece, through one buffer, which is lent for the call only.
  ///
  /// - Parameters:
  ///   - offset: from 0 to ``count``.
  ///   - byteCount: bytes of a piece, at least 1; the last may be shorter.
  public func forEachChunk(
    from offset: Int = 0, byteCount: Int = BlobReader.defaultChunkByteCount,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let size = max(1, min(byteCount, max(1, count - max(0, offset))))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var position = offset
    while true {
      let length = try handle.read(into: buffer, at: position)
      guard length > 0 else { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<length]))
      position += length
    }
  }

  /// Goes to another row of the same table and column: faster than opening another one.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`, `typeMismatch`; the reader then stands on no row, and can be moved again only
  ///   by opening another.
  public func move(toRowID rowID: Int64) throws { try handle.move(toRowID: rowID) }

  /// Closes it before the end of the closure. Closing again does nothing.
  public func close() { handle.close() }
}
