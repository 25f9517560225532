internal import DimplePrimitives

/// A parsed header. Its text, as it goes into the MAC:
///
/// ```
/// age-encryption.org/v1
/// -> X25519 <argument> …
/// <body, base64 without padding, 64 columns, the last line shorter and perhaps empty>
/// --- <MAC, base64>
/// ```
struct AgeHeader {
  static let versionPrefix = [UInt8]("age-encryption.org/".utf8)
  static let versionLine = versionPrefix + [UInt8]("v1".utf8)
  static let columns = 64
  static let scryptType = "scrypt"

  var stanzas: [AgeStanza]
  /// Everything up to and including `---`.
  var authenticatedText: [UInt8]
  var mac: [UInt8]

  /// Whether a scrypt stanza stands beside another one, which the format forbids: who opens a file by passphrase may
  /// trust that only a holder of the passphrase made it.
  static func mixesScrypt(_ stanzas: [AgeStanza]) -> Bool {
    stanzas.count > 1 && stanzas.contains { $0.type == scryptType }
  }

  /// The bytes of a new header, MAC and final newline included.
  static func serialize(_ stanzas: [AgeStanza], fileKey: [UInt8]) throws -> [UInt8] {
    guard !stanzas.isEmpty, !mixesScrypt(stanzas) else {
      throw AgeError(
        .invalidRecipients, operation: "encrypt",
        message: stanzas.isEmpty ? "there are no recipients" : "a passphrase cannot be combined with other recipients",
        hint: "Name one passphrase alone, or any number of keys.")
    }
    var text = versionLine + [newline]
    for stanza in stanzas { try append(stanza, to: &text) }
    text += Array("---".utf8)
    let mac = try FileKey.headerMAC(text, fileKey: fileKey)
    return text + [space] + Base64.encodeASCII(mac, padded: false) + [newline]
  }

  private static func append(_ stanza: AgeStanza, to text: inout [UInt8]) throws {
    text += Array("->".utf8)
    for argument in [stanza.type] + stanza.arguments {
      guard !argument.isEmpty, argument.utf8.allSatisfy(isVisible) else {
        throw AgeError(
          .invalidRecipients, operation: "encrypt", message: "a stanza's argument is not of visible ASCII characters")
      }
      text += [space] + Array(argument.utf8)
    }
    text.append(newline)
    let body = Base64.encodeASCII(stanza.body, padded: false)
    for start in stride(from: 0, through: body.count, by: columns) {
      text += body[start..<min(start + columns, body.count)] + [newline]
    }
  }

  static let newline = UInt8(ascii: "\n")
  static let space = UInt8(ascii: " ")

  /// VCHAR of RFC 5234.
  static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}
