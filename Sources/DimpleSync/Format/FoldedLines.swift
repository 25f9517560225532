/// The lines of a gzip file, one at a time: what is held is a piece of 64 KiB and the line it ends.
struct FoldedLines {
  /// Sealed no more, folded still.
  let folded: [UInt8]
  /// Unfolded, in bytes.
  let maximumSize: Int

  /// - Parameters:
  ///   - piece: Is told all bytes, in pieces, each before the lines that end in it.
  ///   - line: Is told each line without its line feed; `false` stops.
  /// - Throws: ``SyncError/Code/damagedObject``, also where the last line does not end.
  func forEach(
    piece: (ArraySlice<UInt8>) -> Void = { _ in }, line: (ArraySlice<UInt8>) throws -> Bool
  ) throws {
    let reader = try LineReader(self)
    while let next = try reader.next(piece), try line(next) {}
  }
}

/// Where the reading of a gzip file's lines is. Confined to one task at a time.
final class LineReader {
  /// `nil` where all that is to be read is at hand.
  private let reader: GzipReader?
  /// Of the piece at hand, what was not handed over.
  @exclusivity(unchecked) private var rest: ArraySlice<UInt8> = []
  private var isAtEnd = false

  init(_ lines: FoldedLines) throws { reader = try GzipReader(lines.folded, maximumSize: lines.maximumSize) }

  /// - Parameter unfolded: All lines.
  init(unfolded: [UInt8]) {
    (reader, rest, isAtEnd) = (nil, unfolded[...], true)
  }

  /// The next line without its line feed; `nil` behind the last one.
  ///
  /// - Parameter piece: Is told the pieces that are unfolded for it.
  /// - Throws: ``SyncError/Code/damagedObject``, also where the last line does not end.
  func next(_ piece: (ArraySlice<UInt8>) -> Void = { _ in }) throws -> ArraySlice<UInt8>? {
    // The beginning of a line that goes on in the next piece.
    var begun: [UInt8] = []
    while true {
      if let end = rest.firstLineFeed {
        defer { rest = rest[(end + 1)...] }
        return begun.isEmpty ? rest[..<end] : (begun + rest[..<end])[...]
      }
      begun += rest
      rest = []
      guard let reader, !isAtEnd else {
        guard begun.isEmpty else { throw PackHeaderCodec.damaged("The last line does not end.") }
        return nil
      }
      isAtEnd = try !reader.read { bytes in
        piece(bytes)
        // A copy, as the reader's own piece is written to again.
        rest = Array(bytes)[...]
      }
    }
  }
}
