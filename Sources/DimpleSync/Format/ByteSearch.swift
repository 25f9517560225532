extension ArraySlice<UInt8> {
  /// Where the first line feed stands.
  var firstLineFeed: Int? {
    withUnsafeBufferPointer { bytes -> Int? in
      guard let base = bytes.baseAddress else { return nil }
      var position = 0
      while bytes.count - position >= 8 {
        // A byte's high bit is set where it is a line feed; wrong only behind the first such.
        let word = UInt64(littleEndian: UnsafeRawPointer(base + position).loadUnaligned(as: UInt64.self))
        let feeds = word ^ 0x0A0A_0A0A_0A0A_0A0A
        let marks = (feeds &- 0x0101_0101_0101_0101) & ~feeds & 0x8080_8080_8080_8080
        if marks != 0 { return position + marks.trailingZeroBitCount / 8 }
        position += 8
      }
      while position < bytes.count {
        if bytes[position] == UInt8(ascii: "\n") { return position }
        position += 1
      }
      return nil
    }.map { startIndex + $0 }
  }
}

extension UnsafeBufferPointer<UInt8> {
  func hasBytes(_ other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index] != other[index] { return false }
    return true
  }

  /// Whether these bytes are UTF-8.
  var isUTF8: Bool {
    guard let base = baseAddress else { return true }
    var position = 0
    let bytes = UnsafeRawPointer(base)
    while count - position >= 8 {
      if bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 != 0 { break }
      position += 8
    }
    while position < count, self[position] < 0x80 { position += 1 }
    return position == count || String(validating: self[position...], as: UTF8.self) != nil
  }
}
