internal import DimplePrimitives

/// Reads armor as text comes, strictly: one text per file, but for whitespace around it and CRLF line ends.
struct ArmorDecoder {
  private enum State {
    /// Skips whitespace. Transitions: to begin.
    case before
    /// Transitions: to lines.
    case begin
    /// Transitions: to end after a line that must be the last, to after on the closing line.
    case lines
    /// Only the closing line may follow. Transitions: to after.
    case end
    /// Only whitespace may follow.
    case after
  }

  private var state = State.before
  private var line: [UInt8] = []

  /// Takes text; appends what it stands for to `output`, also before an error.
  mutating func update(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    var rest = text[...]
    while !rest.isEmpty {
      switch state {
      case .before:
        rest = rest.drop(while: Armor.isWhitespace)
        if !rest.isEmpty { state = .begin }
      case .after:
        guard rest.allSatisfy(Armor.isWhitespace) else { throw Self.malformed("there is text after the closing line") }
        return
      case .begin, .lines, .end:
        let newline = rest.firstIndex(of: AgeHeader.newline)
        let piece = rest[..<(newline ?? rest.endIndex)]
        // Longer than any line of the format, a carriage return included.
        guard line.count + piece.count <= Armor.columns + 1 else { throw Self.malformed("a line is too long") }
        guard let newline else {
          line.append(contentsOf: piece)
          return
        }
        rest = rest[(newline + 1)...]
        if line.isEmpty {
          try read(UnsafeRawBufferPointer(rebasing: piece), into: &output)
        } else {
          let whole = line + piece
          line.removeAll(keepingCapacity: true)
          try whole.withUnsafeBytes { try read($0, into: &output) }
        }
      }
    }
  }

  /// The text has ended; the closing line may lack its newline.
  mutating func finish(into output: inout [UInt8]) throws {
    if !line.isEmpty {
      let last = line
      line.removeAll()
      try last.withUnsafeBytes { try read($0, into: &output) }
    }
    guard case .after = state else { throw Self.malformed("the closing line is missing") }
  }

  private mutating func read(_ rawLine: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    let hasReturn = rawLine.last == UInt8(ascii: "\r")
    let line = UnsafeRawBufferPointer(rebasing: hasReturn ? rawLine.dropLast() : rawLine[...])
    if case .begin = state {
      guard line.elementsEqual(Armor.begin) else { throw Self.malformed("the opening line is not that of an age file") }
      state = .lines
      return
    }
    if line.elementsEqual(Armor.end) {
      state = .after
      return
    }
    guard case .lines = state else { throw Self.malformed("a short line is not the last") }
    let decoded = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Armor.bytesPerLine + 3) { bytes -> Int? in
      guard (1...Armor.columns).contains(line.count), let count = Base64.decode(line, padded: true, into: bytes)
      else { return nil }
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count]))
      return count
    }
    guard let decoded else { throw Self.malformed("a line is not canonical base64 of at most 64 columns") }
    if decoded < Armor.bytesPerLine { state = .end }
  }

  private static func malformed(_ message: String) -> AgeError {
    AgeError(
      .malformedArmor, operation: "read the armor", message: message,
      hint: "Copy the whole text again, from the BEGIN line to the END line.")
  }
}
