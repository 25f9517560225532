/// gzip (RFC 1952), whole files in memory. Large ones go piece by piece: ``GzipReader``, ``GzipWriter``.
enum Gzip {
  /// Compresses; the header carries no time and no name, so equal bytes give equal files.
  ///
  /// What would unfold to more than ``GzipReader`` allows is stored as it is.
  static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    try GzipWriter.write { try $0.append(bytes[...]) }
  }

  /// Decompresses one whole gzip file.
  ///
  /// - Parameter maximumSize: In bytes of the result; what would grow beyond it is refused before it is held: a few
  ///   kilobytes can unfold to gigabytes.
  /// - Throws: ``SyncError/Code/damagedObject`` for anything that is not exactly one gzip file.
  static func decompress(_ bytes: [UInt8], maximumSize: Int) throws -> [UInt8] {
    let reader = try GzipReader(bytes, maximumSize: maximumSize)
    var result: [UInt8] = []
    while try reader.read({ result += $0 }) {}
    return result
  }
}
