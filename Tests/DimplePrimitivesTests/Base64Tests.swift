import DimplePrimitives
import Testing

@Suite("Base 64 is canonical: one text for given bytes")
struct Base64Tests {
  @Test("RFC 4648 §10, with padding and without")
  func vectors() {
    let vectors = [
      "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy",
    ]
    for (bytes, text) in vectors {
      for (text, padded) in [(text, true), (text.filter { $0 != "=" }, false)] {
        #expect(Base64.encode(Array(bytes.utf8), padded: padded) == text)
        #expect(Base64.encodeASCII(Array(bytes.utf8), padded: padded) == Array(text.utf8))
        #expect(Base64.decode(text, padded: padded) == Array(bytes.utf8))
        #expect(Base64.decode(text.utf8, padded: padded) == Array(bytes.utf8))
      }
    }
  }

  @Test("All lengths survive, in bytes of every value", arguments: [true, false])
  func roundTrips(padded: Bool) {
    for length in 0...600 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ length &* 59) }
      #expect(Base64.decode(Base64.encode(bytes, padded: padded), padded: padded) == bytes)
    }
  }

  @Test("Of all texts of up to four characters, exactly those that are written are read", arguments: [true, false])
  func canonical(padded: Bool) {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n -_é".utf8)
    for first in alphabet {
      for second in alphabet {
        let equals = UInt8(ascii: "=")
        for text in [
          [first], [first, second], [first, second, UInt8(ascii: "8")], [first, second, equals, equals],
          [first, UInt8(ascii: "8"), second, equals], [first, equals, second, equals], [equals, first, second, equals],
        ] {
          if let bytes = Base64.decode(text, padded: padded) {
            #expect(Base64.encodeASCII(bytes, padded: padded) == text)
          }
        }
      }
    }
  }

  @Test("What is not canonical is refused")
  func refused() {
    #expect(Base64.decode("Zg", padded: false) == [0x66])
    for text in ["Zh", "Zg==", "Z", "Zg=", "Zg\n", "Zm9v\n", "Zm9-", "Zm9_", "Zm 9v"] {
      #expect(Base64.decode(text, padded: false) == nil, "\(text)")
    }
    for text in ["Zh==", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zg==\n", "Zm9v====", "=Zm9", "é==="] {
      #expect(Base64.decode(text, padded: true) == nil, "\(text)")
    }
  }
}
