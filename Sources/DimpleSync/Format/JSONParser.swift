internal import DimpleStore

/// Reads one JSON text strictly (RFC 8259), from bytes that may be hostile: depth is bounded, every number either fits or
/// is refused, names repeated in one object are refused. Never traps.
struct JSONParser {
  private static let maximumDepth = 16
  private static let fewMembers = 16
  /// In one tree: each takes some dozen times as much memory as the two bytes that may stand for it.
  private static let maximumValues = 1_000_000

  private let bytes: ArraySlice<UInt8>
  private var index: Int
  private var depth = 0
  /// How many more values the tree at hand may have.
  private var valuesLeft = 0

  /// The value of `line`, which must hold exactly one.
  ///
  /// - Throws: ``SyncError/Code/damagedObject``, with the offset.
  static func parse(_ line: ArraySlice<UInt8>) throws -> JSON {
    var parser = JSONParser(line)
    let value = try parser.value()
    try parser.end()
    return value
  }

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    index = bytes.startIndex
  }

  /// How far it has read.
  var position: Int { index }

  /// What was read since then.
  func read(from position: Int) -> ArraySlice<UInt8> { bytes[position..<index] }

  /// Lets `body` read by itself, from an offset into a buffer: it tells how far it came, or `nil` if it read nothing.
  mutating func scan(_ body: (UnsafeBufferPointer<UInt8>, Int) -> Int?) -> Bool {
    let end = bytes.withUnsafeBufferPointer { buffer in body(buffer, index - bytes.startIndex) }
    guard let end else { return false }
    index = bytes.startIndex + end
    return true
  }

  /// Exactly these bytes.
  mutating func expect(_ text: StaticString) throws {
    guard skip(text) else { throw failure("expected '\(text)'") }
  }

  /// These bytes, if they come next.
  mutating func skip(_ text: StaticString) -> Bool {
    guard text.withUTF8Buffer({ bytes[index...].starts(with: $0) }) else { return false }
    index += text.utf8CodeUnitCount
    return true
  }

  /// A whole number, with nothing before it.
  mutating func integer() throws -> Int64 {
    guard case .integer(let value) = try number() else { throw failure("expected a whole number") }
    return value
  }

  /// Nothing may follow.
  mutating func end() throws {
    skipSpace()
    guard index == bytes.endIndex else { throw failure("more than one value") }
  }

  private func failure(_ what: String) -> SyncError {
    SyncError(
      .damagedObject, operation: "read JSON", message: "Not valid JSON at byte \(index - bytes.startIndex): \(what).")
  }

  private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard next == byte else { throw failure("expected '\(Character(UnicodeScalar(byte)))'") }
    index += 1
  }

  /// A value with all that is in it.
  ///
  /// - Parameter limit: How many values it may consist of.
  mutating func value(atMost limit: Int = Self.maximumValues) throws -> JSON {
    valuesLeft = limit
    return try tree()
  }

  private mutating func tree() throws -> JSON {
    guard valuesLeft > 0 else { throw failure("too many values") }
    valuesLeft -= 1
    skipSpace()
    switch next {
    case UInt8(ascii: "{"):
      var members: [JSON.Member] = []
      try self.members { members.append(JSON.Member(name: $1, value: try $0.tree())) }
      return .object(members)
    case UInt8(ascii: "["):
      var values: [JSON] = []
      try elements { values.append(try $0.tree()) }
      return .array(values)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  /// Reads over a value: only its ends are looked at.
  mutating func skipValue() throws {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"):
      index += 1
      try nested { parser in
        try parser.elements(until: UInt8(ascii: "}")) { parser in
          parser.skipSpace()
          try parser.skipString()
          parser.skipSpace()
          try parser.expect(UInt8(ascii: ":"))
          try parser.skipValue()
        }
      }
    case UInt8(ascii: "["):
      index += 1
      try nested { try $0.elements(until: UInt8(ascii: "]")) { try $0.skipValue() } }
    case UInt8(ascii: "\""): try skipString()
    default: _ = try value()
    }
  }

  private mutating func skipString() throws {
    try expect(UInt8(ascii: "\""))
    while let byte = next {
      index += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return }
    }
    throw failure("a string without end")
  }

  private mutating func nested(_ body: (inout JSONParser) throws -> Void) throws {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("nested deeper than \(Self.maximumDepth)") }
    try body(&self)
  }

  private mutating func literal(_ text: StaticString, _ value: JSON) throws -> JSON {
    guard skip(text) else { throw failure("unknown word") }
    return value
  }

  /// An object's members, one by one: `member` is told the name, and reads the value.
  mutating func members(_ member: (inout JSONParser, String) throws -> Void) throws {
    skipSpace()
    try expect(UInt8(ascii: "{"))
    // Only large objects are worth a set; hostile ones are large.
    var few: [String] = []
    var many: Set<[UInt8]> = []
    try nested { parser in
      try parser.elements(until: UInt8(ascii: "}")) { parser in
        parser.skipSpace()
        let name = try parser.string()
        if few.count == Self.fewMembers, many.isEmpty { many = Set(few.map { Array($0.utf8) }) }
        if few.count < Self.fewMembers {
          guard !few.contains(where: { $0.hasSameBytes(as: name) }) else { throw parser.failure("a name is repeated") }
          few.append(name)
        } else {
          guard many.insert(Array(name.utf8)).inserted else { throw parser.failure("a name is repeated") }
        }
        parser.skipSpace()
        try parser.expect(UInt8(ascii: ":"))
        try member(&parser, name)
      }
    }
  }

  /// An array's elements, one by one: `element` reads one.
  mutating func elements(_ element: (inout JSONParser) throws -> Void) throws {
    skipSpace()
    try expect(UInt8(ascii: "["))
    try nested { try $0.elements(until: UInt8(ascii: "]"), element) }
  }

  private mutating func elements(until close: UInt8, _ element: (inout JSONParser) throws -> Void) throws {
    skipSpace()
    if next == close {
      index += 1
      return
    }
    while true {
      try element(&self)
      skipSpace()
      if next == close {
        index += 1
        return
      }
      try expect(UInt8(ascii: ","))
    }
  }
}

// MARK: - Numbers

extension JSONParser {
  fileprivate mutating func number() throws -> JSON {
    let start = index
    var isReal = false
    if next == UInt8(ascii: "-") { index += 1 }
    let integerStart = index
    try digits()
    if index - integerStart > 1, bytes[integerStart] == UInt8(ascii: "0") { throw failure("a leading zero") }
    if next == UInt8(ascii: ".") {
      isReal = true
      index += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isReal = true
      index += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isReal {
      guard let value = Double(text), value.isFinite else { throw failure("a number out of range") }
      return .real(value)
    }
    guard let value = Int64(text) else { throw failure("a number out of range") }
    return .integer(value)
  }

  private mutating func digits() throws {
    let start = index
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
    guard index > start else { throw failure("expected a value") }
  }
}

// MARK: - Strings

extension JSONParser {
  mutating func string() throws -> String {
    skipSpace()
    try expect(UInt8(ascii: "\""))
    var plainStart = index
    var collected: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        let last = bytes[plainStart..<index]
        index += 1
        let text =
          if collected.isEmpty {
            last.withUnsafeBufferPointer { String(utf8: $0) }
          } else {
            (collected + last).withUnsafeBufferPointer { String(utf8: $0) }
          }
        guard let text else { throw failure("text is not UTF-8") }
        return text
      case UInt8(ascii: "\\"):
        collected += bytes[plainStart..<index]
        index += 1
        try escape(into: &collected)
        plainStart = index
      case 0..<0x20:
        throw failure("a control character in a string")
      default:
        index += 1
      }
    }
    throw failure("a string without end")
  }

  private mutating func escape(into collected: inout [UInt8]) throws {
    guard let byte = next else { throw failure("a string without end") }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(byte)
    case UInt8(ascii: "n"): collected.append(0x0A)
    case UInt8(ascii: "r"): collected.append(0x0D)
    case UInt8(ascii: "t"): collected.append(0x09)
    case UInt8(ascii: "b"): collected.append(0x08)
    case UInt8(ascii: "f"): collected.append(0x0C)
    case UInt8(ascii: "u"): collected += try unicodeEscape()
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws -> [UInt8] {
    let first = try hexDigits()
    var scalar = UInt32(first)
    if 0xD800..<0xDC00 ~= first {
      try expect(UInt8(ascii: "\\"))
      try expect(UInt8(ascii: "u"))
      let second = try hexDigits()
      guard 0xDC00..<0xE000 ~= second else { throw failure("a lone surrogate") }
      scalar = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
    }
    guard let unicode = UnicodeScalar(scalar) else { throw failure("a lone surrogate") }
    return Array(String(Character(unicode)).utf8)
  }

  private mutating func hexDigits() throws -> UInt16 {
    guard bytes.endIndex - index >= 4,
      bytes[index..<index + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
      let value = UInt16(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
    else { throw failure("expected four hexadecimal digits") }
    index += 4
    return value
  }
}
