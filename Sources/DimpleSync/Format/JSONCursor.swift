/// Reads JSON in the one form in which this library writes it, several times as fast as ``JSONParser``.
///
/// Whatever it does not expect it leaves to the parser, by `nil` or `false`: escapes, white space, numbers of many digits, and
/// all that is wrong. What it reads, the parser would read alike.
struct JSONCursor {
  enum Number {
    case integer(Int64)
    case real(Double)
  }

  /// A value that stands for itself, in the bytes that were lent.
  enum Scalar {
    case null
    case integer(Int64)
    case real(Double)
    case text(UnsafeRawBufferPointer)
  }

  private var next: UnsafePointer<UInt8>
  private let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  /// - Parameter bytes: Must outlive the cursor; not empty.
  init?(_ bytes: UnsafeBufferPointer<UInt8>, from offset: Int = 0) {
    guard let base = bytes.baseAddress, offset >= 0, offset <= bytes.count else { return nil }
    start = base
    next = base + offset
    end = base + bytes.count
  }

  /// How far it has read.
  var offset: Int { next - start }

  var isAtEnd: Bool { next == end }

  private var peek: UInt8 { next < end ? next.pointee : 0 }

  /// These bytes, if they come next.
  @inline(__always)
  mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard end - next >= count else { return false }
    for index in 0..<count where next[index] != text.utf8Start[index] { return false }
    next += count
    return true
  }

  /// This byte, if it comes next.
  @inline(__always)
  mutating func skip(_ byte: Unicode.Scalar) -> Bool {
    guard next < end, next.pointee == UInt8(ascii: byte) else { return false }
    next += 1
    return true
  }

  /// What stands between quotes, if there is no escape in it.
  mutating func quoted() -> UnsafeBufferPointer<UInt8>? {
    guard skip("\"" as Unicode.Scalar) else { return nil }
    let content = next
    next = special(from: next)
    guard skip("\"" as Unicode.Scalar) else { return nil }
    return UnsafeBufferPointer(start: content, count: next - content - 1)
  }

  /// The first byte that is a quote, a backslash or a control character.
  private func special(from start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    var position = start
    // Eight at a time: a byte's high bit is set where it is less than 0x20, or equal; wrong only behind the first such.
    let ones: UInt64 = 0x0101_0101_0101_0101
    while end - position >= 8 {
      let word = UInt64(littleEndian: UnsafeRawPointer(position).loadUnaligned(as: UInt64.self))
      let (quotes, slashes) = (word ^ (ones &* 0x22), word ^ (ones &* 0x5C))
      let found =
        (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes
      let marks = found & (ones &* 0x80)
      if marks != 0 { return position + marks.trailingZeroBitCount / 8 }
      position += 8
    }
    while position < end {
      let byte = position.pointee
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      position += 1
    }
    return position
  }

  /// Passes over what follows an opening bracket or brace that was read, up to and with the one that closes it.
  ///
  /// What stands there is not checked, but for strings to end: escapes in them are passed over, too.
  mutating func skipNested() -> Bool {
    var depth = 1
    while next < end {
      let byte = next.pointee
      next += 1
      switch byte {
      case UInt8(ascii: "\""): guard skipString() else { return false }
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { return true }
      default: break
      }
    }
    return false
  }

  /// The rest of a string, behind its opening quote.
  private mutating func skipString() -> Bool {
    while true {
      next = special(from: next)
      guard next < end else { return false }
      let byte = next.pointee
      next += 1
      if byte == UInt8(ascii: "\"") { return true }
      guard byte == UInt8(ascii: "\\"), next < end else { return false }
      next += 1
    }
  }

  mutating func integer() -> Int64? {
    guard case .integer(let value)? = number() else { return nil }
    return value
  }

  /// A text without escapes, NULL, or a number of few digits.
  @inline(__always)
  mutating func scalar() -> Scalar? {
    if let text = quoted() { return text.isUTF8 ? .text(UnsafeRawBufferPointer(text)) : nil }
    if skip("null") { return .null }
    switch number() {
    case .integer(let value)?: return .integer(value)
    case .real(let value)?: return .real(value)
    case nil: return nil
    }
  }

  /// Numbers whose value follows from few digits.
  mutating func number() -> Number? {
    let isNegative = skip("-" as Unicode.Scalar)
    let first = next
    var digits: Int64 = 0
    guard scanDigits(&digits), next - first == 1 || first.pointee != UInt8(ascii: "0") else { return nil }
    guard peek == UInt8(ascii: ".") else {
      if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") || next - first > 18 { return nil }
      return .integer(isNegative ? -digits : digits)
    }
    next += 1
    let point = next
    guard scanDigits(&digits), peek != UInt8(ascii: "e"), peek != UInt8(ascii: "E"), next - first <= 16 else {
      return nil
    }
    // Both are exact in a double, so their quotient is the nearest one to the number.
    let value = Double(digits) / Self.powers[next - point]
    return .real(isNegative ? -value : value)
  }

  /// At least one.
  private mutating func scanDigits(_ value: inout Int64) -> Bool {
    let first = next
    while next < end {
      let digit = next.pointee &- UInt8(ascii: "0")
      if digit > 9 { break }
      value = value &* 10 &+ Int64(digit)
      next += 1
    }
    return next > first
  }

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
  ]
}
