import DimplePrimitives
import Testing

@Suite("X25519 and Ed25519 give the answers of RFC 7748 and RFC 8032")
struct CurveTests {
  @Test("X25519: RFC 7748 §6.1, both sides")
  func diffieHellman() throws {
    let alice = try hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    let bob = try hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    let alicePublic = try X25519.publicKey(of: alice)
    let bobPublic = try X25519.publicKey(of: bob)
    #expect(try alicePublic == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
    #expect(try bobPublic == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
    let shared = try hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    #expect(try X25519.sharedSecret(privateKey: alice, publicKey: bobPublic) == shared)
    #expect(try X25519.sharedSecret(privateKey: bob, publicKey: alicePublic) == shared)
  }

  @Test("X25519: RFC 7748 §5.2, both single vectors")
  func scalarMultiplication() throws {
    #expect(
      try X25519.sharedSecret(
        privateKey: hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
        publicKey: hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
        == hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"))
    #expect(
      try X25519.sharedSecret(
        privateKey: hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
        publicKey: hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"))
        == hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"))
  }

  @Test(
    "X25519 refuses points of low order, which would make every secret zero",
    arguments: [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
  func lowOrder(point: String) throws {
    let privateKey = try X25519.generate()
    let publicKey = try hex(point)
    let error = #expect(throws: PrimitiveError.self) {
      try X25519.sharedSecret(privateKey: privateKey, publicKey: publicKey)
    }
    #expect(error?.code == .invalidKey)
  }

  @Test(
    "Ed25519: RFC 8032 §7.1, tests 1 to 3",
    arguments: [
      (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        """
        e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555
        fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
        """
      ),
      (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        """
        92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
        """
      ),
      (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        """
        6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
        18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
        """
      ),
    ])
  func signatures(seed: String, publicKey: String, message: String, signature: String) throws {
    let (seed, publicKey, message) = (try hex(seed), try hex(publicKey), try hex(message))
    let signature = try hex(signature)
    #expect(try Ed25519.publicKey(of: seed) == publicKey)
    #expect(try Ed25519.sign(message, seed: seed) == signature)
    #expect(Ed25519.verify(signature, of: message, publicKey: publicKey))
  }

  @Test("Ed25519 verifies nothing but the message, the signature and the key")
  func forgeries() throws {
    let seed = try Ed25519.generate()
    let publicKey = try Ed25519.publicKey(of: seed)
    let message = ascii("pay 10")
    let signature = try Ed25519.sign(message, seed: seed)
    #expect(Ed25519.verify(signature, of: message, publicKey: publicKey))
    #expect(!Ed25519.verify(signature, of: ascii("pay 90"), publicKey: publicKey))
    #expect(!Ed25519.verify(signature, of: message, publicKey: try Ed25519.publicKey(of: Ed25519.generate())))
    #expect(!Ed25519.verify(Array(signature.dropLast()), of: message, publicKey: publicKey))
    #expect(!Ed25519.verify(signature, of: message, publicKey: Array(publicKey.dropLast())))
    for index in signature.indices {
      var altered = signature
      altered[index] ^= 1
      #expect(!Ed25519.verify(altered, of: message, publicKey: publicKey))
    }
  }

  @Test("Keys of the wrong length are refused")
  func lengths() throws {
    let short = [UInt8](repeating: 9, count: 31)
    #expect(throws: PrimitiveError.self) { try X25519.publicKey(of: short) }
    #expect(throws: PrimitiveError.self) { try Ed25519.publicKey(of: short) }
    #expect(throws: PrimitiveError.self) { try Ed25519.sign([], seed: short) }
  }
}
