/// Puts a response's head together from its lines, as they arrive.
///
/// Interim responses (`100 Continue`) begin a head that the next status line replaces; trailers are added at the end.
struct ResponseHeadParser {
  /// More header than this, in bytes, is an attack.
  static let maximumSize = 64 * 1024

  private(set) var head = HTTPResponseHead(status: 0)
  private var size = 0

  /// Takes one line, its ending included.
  ///
  /// - Throws: ``HTTPTransportError`` of the kind `protocolViolation`.
  mutating func take(_ line: UnsafeRawBufferPointer) throws {
    size += line.count
    guard size <= Self.maximumSize else {
      throw HTTPTransportError(.protocolViolation, "the response's head is too long")
    }
    let text = String(decoding: line, as: UTF8.self).trimmingWhitespace
    if text.hasPrefix("HTTP/") {
      let parts = text.split(separator: " ", maxSplits: 2)
      guard parts.count >= 2, let status = Int(parts[1]) else {
        throw HTTPTransportError(.protocolViolation, "the response's first line is none")
      }
      head = HTTPResponseHead(status: status)
    } else if let colon = text.firstIndex(of: ":") {
      let name = String(text[..<colon])
      head.headers.append(HTTPHeader(name, String(text[text.index(after: colon)...]).trimmingWhitespace))
    }
  }
}

extension String {
  /// Without spaces, tabs and line ends at both ends.
  var trimmingWhitespace: String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else { return "" }
    return String(self[first...last])
  }
}
