internal import DimpleChangelog
internal import DimpleStore

/// Reads a part's rows in place, as long as they have the form that nearly all have; what has another is left to the parser.
///
/// Confined to the call that lends the bytes.
struct PlainRowScanner {
  private(set) var position: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ start: UnsafePointer<UInt8>, count: Int) {
    position = start
    end = start + count
  }

  /// Passes over `text`, if it is next.
  mutating func skip(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard end - position >= count else { return false }
    let expected = text.utf8Start
    for index in 0..<count where position[index] != expected[index] { return false }
    position += count
    return true
  }

  /// A number of at most 18 digits; `nil` for anything else.
  mutating func integer() -> Int64? {
    var index = position
    let isNegative = index < end && index.pointee == UInt8(ascii: "-")
    if isNegative { index += 1 }
    let first = index
    var value: Int64 = 0
    while index < end, index.pointee &- 0x30 < 10 {
      guard index - first < 18 else { return nil }
      value = value * 10 + Int64(index.pointee &- 0x30)
      index += 1
    }
    // JSON has no leading zeros.
    guard index > first, first.pointee != UInt8(ascii: "0") || (index - first == 1 && !isNegative) else { return nil }
    position = index
    return isNegative ? -value : value
  }

  /// Binds the next value, unless it needs the parser.
  ///
  /// - Parameter key: Gets the value, as the state encodes it.
  mutating func bind(_ statement: Statement, at parameter: Int32, key: inout ByteWriter?) throws -> Bool {
    guard position < end else { return false }
    switch position.pointee {
    case UInt8(ascii: "\""):
      guard let text = text() else { return false }
      if key != nil { key?.value(.text(String(decoding: text, as: UTF8.self))) }
      try statement.bind(borrowedText: text, at: parameter)
    case UInt8(ascii: "n"):
      guard skip("null") else { return false }
      key?.value(.null)
      try statement.bindNull(at: parameter)
    default:
      let start = position
      if let value = integer(), isAtEndOfValue {
        key?.value(.integer(value))
        try statement.bind(int64: value, at: parameter)
      } else {
        position = start
        guard let value = real() else { return false }
        key?.value(.real(value))
        try statement.bind(double: value, at: parameter)
      }
    }
    return isAtEndOfValue
  }

  /// Whether the next value is NULL.
  var isNull: Bool { position < end && position.pointee == UInt8(ascii: "n") }

  private var isAtEndOfValue: Bool {
    position < end && (position.pointee == UInt8(ascii: ",") || position.pointee == UInt8(ascii: "]"))
  }

  /// The bytes between quotes, if none is escaped and they are UTF-8.
  private mutating func text() -> UnsafeRawBufferPointer? {
    let start = position + 1
    var index = start
    var bits: UInt8 = 0
    while index < end, index.pointee != UInt8(ascii: "\"") {
      guard index.pointee != UInt8(ascii: "\\"), index.pointee >= 0x20 else { return nil }
      bits |= index.pointee
      index += 1
    }
    guard index < end else { return nil }
    let text = UnsafeRawBufferPointer(start: start, count: index - start)
    if bits >= 0x80, String(validating: text, as: UTF8.self) == nil { return nil }
    position = index + 1
    return text
  }

  /// A number with a point and no exponent, as most reals are written.
  private mutating func real() -> Double? {
    var index = position
    if index < end, index.pointee == UInt8(ascii: "-") { index += 1 }
    let first = index
    var points = 0
    while index < end, index.pointee &- 0x30 < 10 || index.pointee == UInt8(ascii: ".") {
      if index.pointee == UInt8(ascii: ".") { points += 1 }
      index += 1
    }
    guard points == 1, index - first >= 3, first.pointee != UInt8(ascii: "."), index[-1] != UInt8(ascii: "."),
      first.pointee != UInt8(ascii: "0") || first[1] == UInt8(ascii: ".")
    else { return nil }
    let text = UnsafeBufferPointer(start: position, count: index - position)
    position = index
    return Double(String(decoding: text, as: UTF8.self))
  }
}
