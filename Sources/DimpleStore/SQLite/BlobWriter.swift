/// The text or blob of one row and column, written piece by piece, without ever being in memory as a whole.
///
/// ```swift
/// try db.write { connection in
///   try connection.execute("INSERT INTO Attachment (id, data) VALUES (\(id), \(ZeroBlob(byteCount: file.size)))")
///   let blob = try connection.writeBlob(table: "Attachment", column: "data", rowID: id)
///   try blob.writeChunks { try file.read(into: $0) }
/// }
/// ```
///
/// Its size cannot change: a ``ZeroBlob`` makes room. Writing fires no triggers, checks no constraints, and is refused for
/// tables whose changes are tracked. Live queries that read the column are refreshed.
///
/// Confined to the closure that its connection was given to: it is closed at its end, or by ``close()``, and throws
/// `outsideClosure` from then on. If its row is changed or deleted by a statement meanwhile, it throws `blobExpired`.
public final class BlobWriter {
  private let handle: BlobHandle

  init(_ handle: BlobHandle) { self.handle = handle }

  /// How many bytes there are: as many as can be written.
  public var count: Int { handle.count }

  /// Writes bytes over those from the offset on.
  ///
  /// - Throws: ``StoreError``: `tooBig` if they do not fit, and nothing is written; `blobExpired`, `outsideClosure`,
  ///   `interrupted`, `ioFailed`, `diskFull`.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws { try handle.write(bytes, at: offset) }

  /// Writes bytes over those from the offset on, as the other form.
  public func write(_ bytes: [UInt8], at offset: Int) throws {
    try bytes.withUnsafeBytes { try handle.write($0, at: offset) }
  }

  /// Writes what a source gives, piece by piece, from the offset on.
  ///
  /// - Parameters:
  ///   - offset: from 0 to ``count``.
  ///   - byteCount: bytes of the buffer, at least 1.
  ///   - source: fills the buffer from its start and returns how many bytes it gave; 0 at its end, as `read(2)` does.
  /// - Returns: how many bytes were written. If the source has fewer than fit, the rest stays as it was.
  /// - Throws: what the source throws, and as ``write(_:at:)-(UnsafeRawBufferPointer,_)``.
  @discardableResult
  public func writeChunks(
    from offset: Int = 0, byteCount: Int = BlobReader.defaultChunkByteCount,
    _ source: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> Int {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, byteCount), alignment: 16)
    defer { buffer.deallocate() }
    var position = offset
    while true {
      let length = min(max(0, try source(buffer)), buffer.count)
      guard length > 0 else { return position - offset }
      try handle.write(UnsafeRawBufferPointer(rebasing: buffer[..<length]), at: position)
      position += length
    }
  }

  /// Reads back, as ``BlobReader/read(into:at:)`` does.
  @discardableResult
  public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    try handle.read(into: buffer, at: offset)
  }

  /// Goes to another row of the same table and column.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`, `typeMismatch`; the writer is then of no more use.
  public func move(toRowID rowID: Int64) throws { try handle.move(toRowID: rowID) }

  /// Closes it before the end of the closure. Closing again does nothing.
  public func close() { handle.close() }
}

/// A blob of zeros that is stored without being in memory: room for a ``BlobWriter``.
///
/// In constant memory as an interpolated value of an `INSERT` or `UPDATE`, or bound to a ``PreparedStatement``, if its
/// column is the last of the table or is followed by `NULL` only, and there is neither `RETURNING` nor a trigger that reads
/// it. Otherwise SQLite puts the zeros together first.
public struct ZeroBlob: SQLConvertible, Sendable, Hashable {
  /// How many bytes; none if negative. SQLite's limit is a billion.
  public var byteCount: Int

  /// Room for so many bytes.
  public init(byteCount: Int) { self.byteCount = byteCount }

  /// The zeros, put together.
  public var sqlValue: SQLValue { .blob([UInt8](repeating: 0, count: max(0, byteCount))) }

  /// From a blob, of which it takes the size.
  ///
  /// - Throws: ``StoreError`` with code `typeMismatch` if it has other bytes than zeros.
  public init(sqlValue: SQLValue) throws {
    guard case .blob(let bytes) = sqlValue, bytes.allSatisfy({ $0 == 0 }) else {
      throw StoreError.mismatch(ZeroBlob.self, sqlValue)
    }
    byteCount = bytes.count
  }

  /// Binds the size only.
  public func bind(to parameter: StatementParameter) throws {
    try parameter.statement.base.bind(zeroBlob: byteCount, at: parameter.index)
  }
}

extension SQL.Interpolation {
  /// A blob of zeros, of which only the size is bound.
  public mutating func appendInterpolation(_ zeros: ZeroBlob) {
    appendInterpolation(SQL(raw: "zeroblob(?)", bindings: [.integer(Int64(zeros.byteCount))]))
  }
}
