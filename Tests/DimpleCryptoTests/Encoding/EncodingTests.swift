import Testing

@testable import DimpleCrypto

@Suite("Encodings are canonical: each has one text for given bytes")
struct EncodingTests {
  /// Bytes of every length up to `count`, none of them regular.
  private func samples(upTo count: Int) -> [[UInt8]] {
    (0...count).map { length in (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ length &* 59) } }
  }

  @Test("Base 32: RFC 4648 §10 in lowercase without padding")
  func base32Vectors() {
    let vectors = [
      "": "", "f": "my", "fo": "mzxq", "foo": "mzxw6", "foob": "mzxw6yq", "fooba": "mzxw6ytb", "foobar": "mzxw6ytboi",
    ]
    for (bytes, text) in vectors {
      #expect(Base32.encode(Array(bytes.utf8)) == text)
      #expect(Base32.decode(text) == Array(bytes.utf8))
    }
  }

  @Test("All lengths survive, in each encoding")
  func roundTrips() {
    for bytes in samples(upTo: 100) {
      #expect(Base32.decode(Base32.encode(bytes)) == bytes)
      #expect(Bech32.decode(Bech32.encode(prefix: "age", bytes))?.bytes == bytes)
    }
  }

  @Test("Of all texts of up to three characters, exactly those that are written are read")
  func canonical() {
    let base32 = "abcdefghijklmnopqrstuvwxyz234567A01="
    for first in base32 {
      for second in base32 {
        for text in ["\(first)", "\(first)\(second)", "mzx\(first)", "mzx\(first)\(second)"] {
          if let bytes = Base32.decode(text) { #expect(Base32.encode(bytes) == text) }
        }
      }
    }
    #expect(Base32.decode("mz") == nil, "spare bits")
    #expect(Base32.decode("m") == nil, "half a byte")
    #expect(Base32.decode("MY") == nil, "uppercase")
  }

  @Test("Bech32: BIP 173's valid strings")
  func bech32Valid() {
    let valid = [
      "A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
      "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
      "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl",
    ]
    for text in valid { #expect(Bech32.decode(text) != nil, "\(text)") }
    #expect(Bech32.decode("A12UEL5L")?.prefix == "A")
    #expect(Bech32.decode("a12uel5l")?.bytes == [])
  }

  @Test(
    "Bech32: BIP 173's invalid strings",
    arguments: [
      "\u{20}1nwldj5", "\u{7F}1axkwrx", "\u{80}1eym55h", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3",
      "de1lg7wt\u{FF}", "A1G7SGD8", "10a06t8", "1qzzfhee", "a12UEL5L",
    ])
  func bech32Invalid(text: String) {
    #expect(Bech32.decode(text) == nil)
  }
}
