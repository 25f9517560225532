/// The text form of an age file: strict PEM (RFC 7468, figure 3).
///
/// ```
/// -----BEGIN AGE ENCRYPTED FILE-----
/// <base64 with padding, 64 columns, the last line 4 to 64>
/// -----END AGE ENCRYPTED FILE-----
/// ```
enum Armor {
  static let begin = [UInt8]("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
  static let end = [UInt8]("-----END AGE ENCRYPTED FILE-----".utf8)
  /// Characters in a full line, and the bytes they stand for.
  static let columns = 64
  static let bytesPerLine = 48

  static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
  }
}
