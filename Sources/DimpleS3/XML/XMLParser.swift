/// Reads the small part of XML 1.0 that S3 servers write: elements, text, the five entities, character references, CDATA.
///
/// Everything is bounded, document types (and with them entities of one's own) are refused, and anything malformed is an
/// error: the server may be hostile, or no S3 server at all.
struct XMLParser {
  /// A page of 1,000 keys is a tenth of it.
  static let maximumSize = 16 * 1024 * 1024
  static let maximumDepth = 16

  /// What is wrong, and where.
  struct Failure: Error, Equatable, CustomStringConvertible {
    let message: String
    let offset: Int

    var description: String { "\(message) at byte \(offset)" }
  }

  private let bytes: [UInt8]
  private var offset = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The root element.
  static func parse(_ bytes: [UInt8]) throws(Failure) -> XMLElement {
    guard bytes.count <= maximumSize else { throw Failure(message: "document too long", offset: maximumSize) }
    var parser = XMLParser(bytes)
    _ = parser.skip("\u{FEFF}")
    try parser.skipBetweenElements()
    let root = try parser.element(depth: 1)
    try parser.skipBetweenElements()
    guard parser.offset == bytes.count else { throw parser.failure("content after the root element") }
    return root
  }

  private func failure(_ message: String) -> Failure { Failure(message: message, offset: offset) }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func isAt(_ text: StaticString) -> Bool {
    guard offset + text.utf8CodeUnitCount <= bytes.count else { return false }
    return text.withUTF8Buffer { text in bytes[offset..<offset + text.count].elementsEqual(text) }
  }

  /// Steps over `text` if it comes next.
  private mutating func skip(_ text: StaticString) -> Bool {
    guard isAt(text) else { return false }
    offset += text.utf8CodeUnitCount
    return true
  }

  /// Steps behind the next `end` and returns what came before it.
  private mutating func take(until end: StaticString, _ what: String) throws(Failure) -> ArraySlice<UInt8> {
    let start = offset
    while offset < bytes.count {
      let stop = offset
      if skip(end) { return bytes[start..<stop] }
      offset += 1
    }
    offset = start
    throw failure("\(what) without end")
  }

  private mutating func skipSpace() {
    while let byte = next, Self.isSpace(byte) { offset += 1 }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  /// Space, comments and processing instructions around the root.
  private mutating func skipBetweenElements() throws(Failure) {
    while true {
      skipSpace()
      if skip("<!--") {
        _ = try take(until: "-->", "comment")
      } else if skip("<?") {
        _ = try take(until: "?>", "processing instruction")
      } else {
        return
      }
    }
  }

  // MARK: Elements

  private mutating func element(depth: Int) throws(Failure) -> XMLElement {
    guard depth <= Self.maximumDepth else { throw failure("elements nested too deep") }
    guard skip("<") else { throw failure("no element") }
    let name = try name()
    var element = XMLElement(name: Self.localName(name))
    guard try !attributes() else { return element }
    var text: [UInt8] = []
    while true {
      if skip("</") {
        guard try self.name() == name else { throw failure("end of another element") }
        skipSpace()
        guard skip(">") else { throw failure("end tag without end") }
        element.text = try string(text)
        return element
      } else if skip("<!--") {
        _ = try take(until: "-->", "comment")
      } else if skip("<![CDATA[") {
        text += try take(until: "]]>", "CDATA")
      } else if skip("<?") {
        _ = try take(until: "?>", "processing instruction")
      } else if isAt("<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if skip("&") {
        text += try reference()
      } else {
        guard let byte = next else { throw failure("element without end") }
        text.append(byte)
        offset += 1
      }
    }
  }

  /// Steps over the attributes and the tag's end; returns whether it also ends the element.
  private mutating func attributes() throws(Failure) -> Bool {
    while true {
      skipSpace()
      if skip("/>") { return true }
      if skip(">") { return false }
      _ = try name()
      skipSpace()
      guard skip("=") else { throw failure("attribute without value") }
      skipSpace()
      if skip("\"") {
        _ = try take(until: "\"", "attribute")
      } else if skip("'") {
        _ = try take(until: "'", "attribute")
      } else {
        throw failure("attribute without quotes")
      }
    }
  }

  private mutating func name() throws(Failure) -> String {
    let start = offset
    while let byte = next, Self.isNameByte(byte) { offset += 1 }
    guard offset > start, offset - start <= 256 else { throw failure("no name") }
    return try string(Array(bytes[start..<offset]))
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), 0x80...0xFF:
      true
    default: false
    }
  }

  private static func localName(_ name: String) -> String {
    name.split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? name
  }

  // MARK: Text

  private func string(_ bytes: [UInt8]) throws(Failure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("text that is not UTF-8") }
    return text
  }

  /// What stands for the reference whose `&` was stepped over.
  private mutating func reference() throws(Failure) -> [UInt8] {
    let start = offset
    // The longest is &#x10FFFF; and a few leading zeros.
    while let byte = next, byte != UInt8(ascii: ";"), offset - start < 12 { offset += 1 }
    let name = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard skip(";") else { throw failure("reference without end") }
    switch name {
    case "amp": return [UInt8(ascii: "&")]
    case "lt": return [UInt8(ascii: "<")]
    case "gt": return [UInt8(ascii: ">")]
    case "quot": return [UInt8(ascii: "\"")]
    case "apos": return [UInt8(ascii: "'")]
    default:
      let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst(1))
      guard name.hasPrefix("#"), let number, number != 0, let scalar = UnicodeScalar(number) else {
        throw failure("unknown reference")
      }
      return Array(String(Character(scalar)).utf8)
    }
  }
}
