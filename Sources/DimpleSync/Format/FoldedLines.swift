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
    let reader = try GzipReader(folded, maximumSize: maximumSize)
    // The beginning of a line that goes on in the next piece.
    var begun: [UInt8] = []
    var goesOn = true
    while goesOn {
      let isMore = try reader.read { bytes in
        piece(bytes)
        var rest = bytes
        while goesOn, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
          if begun.isEmpty {
            goesOn = try line(rest[..<end])
          } else {
            begun += rest[..<end]
            goesOn = try line(begun[...])
            begun.removeAll(keepingCapacity: begun.count < 1 << 20)
          }
          rest = rest[(end + 1)...]
        }
        if goesOn { begun += rest }
      }
      if !isMore { break }
    }
    guard !goesOn || begun.isEmpty else { throw PackHeaderCodec.damaged("The last line does not end.") }
  }
}
