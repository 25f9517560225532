import DimplePrimitives
import Testing

@Suite("SHA-256, HMAC and HKDF give the answers of their standards")
struct DigestTests {
  @Test(
    "SHA-256: FIPS 180 examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func sha256(message: String, digest: String) throws {
    #expect(SHA256.hash(ascii(message)) == (try hex(digest)))
  }

  @Test("SHA-256 of a million letters is the same however they are cut")
  func incremental() throws {
    let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    let expected = try hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    for size in [63, 64, 65, 99_991] {
      var state = SHA256()
      for start in stride(from: 0, to: message.count, by: size) {
        state.update(message[start..<min(start + size, message.count)])
      }
      #expect(state.finalize() == expected, "cut into \(size)")
    }
  }

  @Test("A copy of a running SHA-256 goes on by itself")
  func copies() {
    var first = SHA256()
    first.update(ascii("ab"))
    var second = first
    first.update(ascii("c"))
    second.update(ascii("d"))
    #expect(first.finalize() == SHA256.hash(ascii("abc")))
    #expect(second.finalize() == SHA256.hash(ascii("abd")))
    #expect(first.finalize() == SHA256.hash(ascii("abc")), "finalize leaves the state as it was")
  }

  @Test(
    "HMAC: RFC 4231 cases 1, 2, 3, 6 and 7",
    arguments: [
      (
        [UInt8](repeating: 0x0B, count: 20), ascii("Hi There"),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        ascii("Jefe"), ascii("what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
      ),
      (
        [UInt8](repeating: 0xAA, count: 131), ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
      (
        [UInt8](repeating: 0xAA, count: 131),
        ascii(
          "This is a test using a larger than block-size key and a larger than block-size data. "
            + "The key needs to be hashed before being used by the HMAC algorithm."),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
      ),
    ])
  func hmac(key: [UInt8], message: [UInt8], tag: String) throws {
    #expect(HMACSHA256.authenticate(message, key: key) == (try hex(tag)))
  }

  @Test("HMAC takes an empty key and an empty message")
  func hmacOfNothing() throws {
    let tag = try hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    #expect(HMACSHA256.authenticate([UInt8](), key: [UInt8]()) == tag)
    #expect(HMACSHA256.authenticate([UInt8]()[...], key: [UInt8]()[...]) == tag)
  }

  @Test("HKDF: RFC 5869 cases 1 to 3")
  func hkdf() throws {
    let short = [UInt8](repeating: 0x0B, count: 22)
    let first = try HKDFSHA256.derive(
      short, salt: hex("000102030405060708090a0b0c"), info: hex("f0f1f2f3f4f5f6f7f8f9"), count: 42)
    #expect(
      try first
        == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    let second = try HKDFSHA256.derive(
      Array(UInt8(0x00)...0x4F), salt: Array(UInt8(0x60)...0xAF), info: Array(UInt8(0xB0)...0xFF), count: 82)
    #expect(
      try second
        == hex(
          """
          b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c
          59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71
          cc30c58179ec3e87c14c01d5c1f3434f1d87
          """))
    let third = try HKDFSHA256.derive(short, salt: [UInt8](), info: [UInt8](), count: 42)
    #expect(
      try third
        == hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
  }

  @Test("HKDF gives 8,160 bytes and no more")
  func hkdfLimit() throws {
    #expect(try HKDFSHA256.derive([1], salt: [UInt8](), info: [UInt8](), count: 8_160).count == 8_160)
    let error = #expect(throws: PrimitiveError.self) {
      try HKDFSHA256.derive([1], salt: [UInt8](), info: [UInt8](), count: 8_161)
    }
    #expect(error?.code == .invalidLength)
  }
}
