/// A blob as a stream, in a transaction of its own.
extension Database {
  /// Reads the text or blob of one row and column piece by piece, as of one moment.
  ///
  /// - Parameters:
  ///   - chunkByteCount: bytes of a piece, at least 1; the last may be shorter.
  ///   - body: gets the pieces in order, on this thread, in a buffer that is lent for the call only. It must not use the
  ///     database. What it throws ends the reading.
  /// - Throws: ``StoreError`` as ``Connection/readBlob(table:column:rowID:schema:)``.
  public func readBlob(
    table: String, column: String, rowID: Int64, chunkByteCount: Int = BlobReader.defaultChunkByteCount,
    _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try read {
      try $0.readBlob(table: table, column: column, rowID: rowID).forEachChunk(byteCount: chunkByteCount, body)
    }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it after the piece at hand and
  /// throws `CancellationError`.
  public func readBlob(
    table: String, column: String, rowID: Int64, chunkByteCount: Int = BlobReader.defaultChunkByteCount,
    _ body: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
  ) async throws {
    try await read {
      try $0.readBlob(table: table, column: column, rowID: rowID).forEachChunk(byteCount: chunkByteCount, body)
    }
  }

  /// Writes the blob of one row and column piece by piece, in one transaction: all of it or nothing.
  ///
  /// The row must be there, with a blob of the wanted size: see ``ZeroBlob``.
  ///
  /// - Parameters:
  ///   - chunkByteCount: bytes of the buffer, at least 1.
  ///   - source: called on this thread; fills the buffer and returns how many bytes it gave, 0 at its end. It must not use
  ///     the database. What it throws rolls back.
  /// - Returns: how many bytes were written.
  /// - Throws: ``StoreError`` as ``Connection/writeBlob(table:column:rowID:schema:)``, and `tooBig` if the source has more
  ///   than fits.
  @discardableResult
  public func writeBlob(
    table: String, column: String, rowID: Int64, chunkByteCount: Int = BlobReader.defaultChunkByteCount,
    _ source: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> Int {
    try write {
      try $0.writeBlob(table: table, column: column, rowID: rowID).writeChunks(byteCount: chunkByteCount, source)
    }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task rolls back and throws
  /// `CancellationError`.
  @discardableResult
  public func writeBlob(
    table: String, column: String, rowID: Int64, chunkByteCount: Int = BlobReader.defaultChunkByteCount,
    _ source: @escaping @Sendable (UnsafeMutableRawBufferPointer) throws -> Int
  ) async throws -> Int {
    try await write {
      try $0.writeBlob(table: table, column: column, rowID: rowID).writeChunks(byteCount: chunkByteCount, source)
    }
  }
}
