/// Base 64 (RFC 4648 §4), canonical only: the one text that encodes given bytes, with or without `=` padding.
package enum Base64 {
  private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let invalid: UInt8 = 255
  private static let padding = UInt8(ascii: "=")
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: invalid, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()

  /// The text of `bytes`.
  package static func encode(_ bytes: [UInt8], padded: Bool) -> String {
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
      bytes.withUnsafeBytes { encode($0, padded: padded, into: text) }
    }
  }

  /// As ``encode(_:padded:)``, in ASCII.
  package static func encodeASCII(_ bytes: [UInt8], padded: Bool) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text, count in
      count = bytes.withUnsafeBytes { encode($0, padded: padded, into: text) }
    }
  }

  /// The bytes of `text`; `nil` unless it is canonical, and padded as said.
  package static func decode(_ text: String, padded: Bool) -> [UInt8]? {
    var text = text
    return text.withUTF8 { decode(UnsafeRawBufferPointer($0), padded: padded) }
  }

  /// The same of ASCII.
  package static func decode(_ text: some Collection<UInt8>, padded: Bool) -> [UInt8]? {
    Array(text).withUnsafeBytes { decode($0, padded: padded) }
  }

  private static func decode(_ text: UnsafeRawBufferPointer, padded: Bool) -> [UInt8]? {
    var isValid = false
    let bytes = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 3) { bytes, count in
      let decoded = decode(text, padded: padded, into: bytes)
      isValid = decoded != nil
      count = decoded ?? 0
    }
    return isValid ? bytes : nil
  }

  /// Writes the text of `bytes` to `text`, which must have room for 4 characters per 3 bytes, rounded up.
  ///
  /// - Returns: The number of characters.
  package static func encode(
    _ bytes: UnsafeRawBufferPointer, padded: Bool, into text: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    alphabet.withUnsafeBufferPointer { alphabet in
      var from = 0
      var to = 0
      while from + 3 <= bytes.count {
        let bits = Int(bytes[from]) << 16 | Int(bytes[from + 1]) << 8 | Int(bytes[from + 2])
        text[to] = alphabet[bits >> 18]
        text[to + 1] = alphabet[bits >> 12 & 63]
        text[to + 2] = alphabet[bits >> 6 & 63]
        text[to + 3] = alphabet[bits & 63]
        from += 3
        to += 4
      }
      let left = bytes.count - from
      guard left > 0 else { return to }
      let bits = Int(bytes[from]) << 16 | (left == 2 ? Int(bytes[from + 1]) << 8 : 0)
      for index in 0...left { text[to + index] = alphabet[bits >> (18 - 6 * index) & 63] }
      to += left + 1
      guard padded else { return to }
      for _ in left..<3 {
        text[to] = padding
        to += 1
      }
      return to
    }
  }

  /// Writes the bytes of `text` to `bytes`, which must have room for 3 bytes per 4 characters, rounded up.
  ///
  /// - Returns: The number of bytes, or `nil` unless `text` is canonical, padded as said.
  package static func decode(
    _ text: UnsafeRawBufferPointer, padded: Bool, into bytes: UnsafeMutableBufferPointer<UInt8>
  ) -> Int? {
    var count = text.count
    if padded {
      guard count.isMultiple(of: 4) else { return nil }
      for _ in 0..<2 where count > 0 && text[count - 1] == padding { count -= 1 }
    }
    guard count % 4 != 1 else { return nil }
    return values.withUnsafeBufferPointer { values in
      var from = 0
      var to = 0
      var seen: UInt8 = 0
      while from + 4 <= count {
        let (a, b) = (values[Int(text[from])], values[Int(text[from + 1])])
        let (c, d) = (values[Int(text[from + 2])], values[Int(text[from + 3])])
        seen |= a | b | c | d
        let bits = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
        bytes[to] = UInt8(truncatingIfNeeded: bits >> 16)
        bytes[to + 1] = UInt8(truncatingIfNeeded: bits >> 8)
        bytes[to + 2] = UInt8(truncatingIfNeeded: bits)
        from += 4
        to += 3
      }
      var bits: UInt32 = 0
      for index in 0..<(count - from) {
        let value = values[Int(text[from + index])]
        seen |= value
        bits |= UInt32(value) << (18 - 6 * UInt32(index))
      }
      for index in 0..<max(0, count - from - 1) {
        bytes[to + index] = UInt8(truncatingIfNeeded: bits >> (16 - 8 * UInt32(index)))
      }
      to += max(0, count - from - 1)
      // Values stay below 64, so the top bits show an invalid character; spare bits must be zero to be canonical.
      let spare = count - from == 2 ? bits & 0xFFFF : count - from == 3 ? bits & 0xFF : 0
      return seen < 64 && spare == 0 ? to : nil
    }
  }
}
