import DimplePrimitives
import Testing

@Suite("ChaCha20-Poly1305 gives the answers of RFC 8439 and opens nothing else")
struct ChaCha20Poly1305Tests {
  let plaintext = ascii(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
  )
  let key = Array(UInt8(0x80)...0x9F)
  let nonce: [UInt8] = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]
  let associatedData: [UInt8] = [0x50, 0x51, 0x52, 0x53, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7]

  @Test("RFC 8439 §2.8.2, both ways")
  func vector() throws {
    let sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce, associatedData: associatedData)
    #expect(
      try sealed
        == hex(
          """
          d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6
          3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36
          92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
          3ff4def08e4b7a9de576d26586cec64b6116
          1ae10b594f09e26a7e902ecbd0600691
          """))
    #expect(try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, associatedData: associatedData) == plaintext)
  }

  @Test("One flipped bit anywhere, in key, nonce or associated data, and it does not open")
  func tampering() throws {
    let sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce, associatedData: associatedData)
    func expectRefusal(_ sealed: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ associatedData: [UInt8]) {
      let error = #expect(throws: PrimitiveError.self) {
        try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce, associatedData: associatedData)
      }
      #expect(error?.code == .authenticationFailed)
    }
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 1 << UInt8(index % 8)
      expectRefusal(altered, key, nonce, associatedData)
    }
    expectRefusal(sealed, key.map { $0 ^ 1 }, nonce, associatedData)
    expectRefusal(sealed, key, nonce.map { $0 ^ 1 }, associatedData)
    expectRefusal(sealed, key, nonce, [])
    expectRefusal(Array(sealed.dropLast()), key, nonce, associatedData)
  }

  @Test("A refused message leaves zeros, not unauthenticated plaintext")
  func refusalLeavesNothing() throws {
    var sealed = try ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce)
    sealed[sealed.count - 1] ^= 1
    let cipher = try ChaCha20Poly1305(key: key)
    var output = [UInt8](repeating: 0xFF, count: plaintext.count)
    #expect(throws: PrimitiveError.self) {
      try sealed.withUnsafeBytes { sealed in
        try output.withUnsafeMutableBytes { try cipher.open(sealed, nonce: nonce, into: $0) }
      }
    }
    #expect(output == [UInt8](repeating: 0, count: plaintext.count))
  }

  @Test("An empty message is a tag alone")
  func emptyMessage() throws {
    let sealed = try ChaCha20Poly1305.seal([], key: key, nonce: nonce)
    #expect(sealed.count == 16)
    #expect(try ChaCha20Poly1305.open(sealed, key: key, nonce: nonce) == [])
  }

  @Test("Keys, nonces and messages of the wrong length are refused")
  func lengths() {
    let shortKey = #expect(throws: PrimitiveError.self) {
      try ChaCha20Poly1305.seal([], key: Array(key.dropLast()), nonce: nonce)
    }
    #expect(shortKey?.code == .invalidLength)
    let shortNonce = #expect(throws: PrimitiveError.self) {
      try ChaCha20Poly1305.seal([], key: key, nonce: Array(nonce.dropLast()))
    }
    #expect(shortNonce?.code == .invalidLength)
    let shortMessage = #expect(throws: PrimitiveError.self) {
      try ChaCha20Poly1305.open([UInt8](repeating: 0, count: 15), key: key, nonce: nonce)
    }
    #expect(shortMessage?.code == .invalidLength)
  }

  @Test("One instance seals and opens many messages, as separate ones would")
  func instanceIsReusable() throws {
    let cipher = try ChaCha20Poly1305(key: key)
    for index in UInt8(0)..<4 {
      var nonce = nonce
      nonce[11] = index
      var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
      try plaintext.withUnsafeBytes { plaintext in
        try sealed.withUnsafeMutableBytes { try cipher.seal(plaintext, nonce: nonce, into: $0) }
      }
      #expect(try sealed == ChaCha20Poly1305.seal(plaintext, key: key, nonce: nonce))
      var opened = [UInt8](repeating: 0, count: plaintext.count)
      try sealed.withUnsafeBytes { sealed in
        try opened.withUnsafeMutableBytes { try cipher.open(sealed, nonce: nonce, into: $0) }
      }
      #expect(opened == plaintext)
    }
  }
}
