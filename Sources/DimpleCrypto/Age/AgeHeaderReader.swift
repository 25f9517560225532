internal import DimplePrimitives

/// Parses a header as its bytes arrive, strictly: what a correct program would not write is refused.
struct AgeHeaderReader {
  /// In bytes; a header of hundreds of recipients is a few ten thousand.
  static let maximumCount = 1 << 20

  private enum Expectation {
    /// Transitions: to stanzaOrEnd.
    case version
    /// Transitions: to body, or the end.
    case stanzaOrEnd
    /// Transitions: to itself after a full line, to stanzaOrEnd after a shorter one.
    case body
  }

  private var expectation = Expectation.version
  private var text: [UInt8] = []
  private var lineStart = 0
  private var stanzas: [AgeStanza] = []

  /// Takes bytes up to the header's end.
  ///
  /// - Returns: How many bytes were taken, and the header once it is complete.
  /// - Throws: ``AgeError/Code/malformedHeader``, ``AgeError/Code/unsupportedVersion``.
  mutating func consume(_ bytes: UnsafeRawBufferPointer) throws -> (count: Int, header: AgeHeader?) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: AgeHeader.newline)
      text.append(contentsOf: rest[..<(end ?? rest.endIndex)])
      guard text.count <= Self.maximumCount else { throw AgeError.malformedHeader("the header does not end") }
      guard let end else { break }
      rest = rest[(end + 1)...]
      if let header = try readLine() { return (rest.startIndex, header) }
      text.append(AgeHeader.newline)
      lineStart = text.count
    }
    try refuseOtherFilesEarly()
    return (bytes.count, nil)
  }

  /// Some other kind of file may have no newline for a long while.
  private func refuseOtherFilesEarly() throws {
    guard case .version = expectation else { return }
    let count = min(text.count, AgeHeader.versionPrefix.count)
    guard text.prefix(count) == AgeHeader.versionPrefix.prefix(count) else { throw Self.notAge }
  }

  private static var notAge: AgeError { .malformedHeader("this is not an age file") }

  private mutating func readLine() throws -> AgeHeader? {
    let line = text[lineStart...]
    switch expectation {
    case .version:
      guard line.starts(with: AgeHeader.versionPrefix) else { throw Self.notAge }
      guard line.elementsEqual(AgeHeader.versionLine) else {
        throw AgeError(
          .unsupportedVersion, operation: "read the age header", message: "the file is not of version 1 of the format",
          hint: "Decrypt it with the program that made it, or with a newer version of this one.")
      }
      expectation = .stanzaOrEnd
    case .stanzaOrEnd:
      if line.starts(with: Array("---".utf8)) { return try readEnd(line) }
      try readArguments(line)
      expectation = .body
    case .body:
      guard line.count <= AgeHeader.columns, let piece = Base64.decode(line, padded: false) else {
        throw AgeError.malformedHeader("a stanza's body is not canonical base64 in lines of 64 columns")
      }
      stanzas[stanzas.count - 1].body += piece
      if line.count < AgeHeader.columns { expectation = .stanzaOrEnd }
    }
    return nil
  }

  private mutating func readArguments(_ line: ArraySlice<UInt8>) throws {
    guard line.starts(with: Array("-> ".utf8)) else {
      throw AgeError.malformedHeader("a line is neither a stanza's start nor the header's end")
    }
    let arguments = line.dropFirst(3).split(separator: AgeHeader.space, omittingEmptySubsequences: false)
    guard arguments.allSatisfy({ !$0.isEmpty && $0.allSatisfy(AgeHeader.isVisible) }) else {
      throw AgeError.malformedHeader("a stanza's argument is empty or not of visible ASCII characters")
    }
    let words = arguments.map { String(decoding: $0, as: UTF8.self) }
    stanzas.append(AgeStanza(type: words[0], arguments: Array(words.dropFirst()), body: []))
  }

  private func readEnd(_ line: ArraySlice<UInt8>) throws -> AgeHeader {
    guard line.starts(with: Array("--- ".utf8)), let mac = Base64.decode(line.dropFirst(4), padded: false),
      mac.count == 32
    else {
      throw AgeError.malformedHeader("the header's MAC is not 32 bytes in canonical base64")
    }
    guard !stanzas.isEmpty else { throw AgeError.malformedHeader("there are no stanzas") }
    guard !AgeHeader.mixesScrypt(stanzas) else {
      throw AgeError.malformedHeader("a scrypt stanza stands beside another")
    }
    return AgeHeader(stanzas: stanzas, authenticatedText: Array(text[..<(lineStart + 3)]), mac: mac)
  }
}
