import DimpleCrypto
import DimplePrimitives
import Testing

@Suite(
  "The age project's own test vectors",
  .enabled(if: !AgeVector.all.isEmpty, "the vectors' folder is missing; see AgeVector.folder"))
struct AgeTestkitTests {
  /// Vectors that need ML-KEM, which OpenSSL has from 3.5 on: to this library their stanzas are of an unknown type, so
  /// that the outcome is "no match", whatever the vector expects of a program that supports them.
  static let notSupported: [String: String] = [
    "armor_hybrid": "success",
    "hybrid_multiple_recipients": "success",
    "hybrid_long_file_key": "header failure",
    "hybrid_long_share": "header failure",
    "hybrid_short_share": "header failure",
  ]

  @Test("Every vector ends as it says, in one piece and in many", arguments: AgeVector.all)
  func vector(_ vector: AgeVector) throws {
    let isSupported = Self.notSupported[vector.name] == nil
    if !isSupported {
      #expect(vector.expectation == Self.notSupported[vector.name])
      print("NOT SUPPORTED: \(vector.name) needs ML-KEM; checked to end as \"no match\" instead.")
    }
    let identities = try identities(of: vector)
    for size in [vector.file.count, 65_552, 1_000, 1] where size > 1 || vector.file.count < 10_000 {
      let (outcome, released) = decrypt(vector, with: identities, piecesOf: max(size, 1))
      #expect(outcome == (isSupported ? vector.expectation : "no match"), "in pieces of \(size)")
      if isSupported, let hash = vector.payloadHash {
        #expect(Hex.encode(SHA256.hash(released)) == hash, "in pieces of \(size), \(released.count) bytes released")
      }
    }
    if isSupported, vector.expectation == "success" {
      let opened = try Age.decrypt(vector.file, with: identities)
      #expect(Hex.encode(SHA256.hash(opened)) == vector.payloadHash)
    }
  }

  @Test("The vectors that were found cover each kind of outcome")
  func coverage() {
    let kinds = Set(AgeVector.all.map(\.expectation))
    #expect(kinds.isSuperset(of: ["success", "no match", "header failure", "payload failure", "armor failure"]))
    #expect(AgeVector.all.count >= 76)
  }

  private func identities(of vector: AgeVector) throws -> [any AgeIdentity] {
    var identities: [any AgeIdentity] = []
    for text in vector.identities {
      if text.hasPrefix("AGE-SECRET-KEY-PQ-") {
        let error = #expect(throws: AgeError.self) { try X25519Identity(text) }
        #expect(error?.code == .invalidKey)
      } else {
        identities.append(try X25519Identity(text))
      }
    }
    return identities + vector.passphrases.map { ScryptIdentity(passphrase: $0) }
  }

  /// The outcome in the vectors' words, and all plaintext that was released.
  private func decrypt(
    _ vector: AgeVector, with identities: [any AgeIdentity], piecesOf size: Int
  ) -> (outcome: String, released: [UInt8]) {
    let decryptor = AgeDecryptor(with: identities, armored: vector.isArmored)
    var released: [UInt8] = []
    do {
      try vector.file.withUnsafeBytes { file in
        for start in stride(from: 0, to: file.count, by: size) {
          let piece = UnsafeRawBufferPointer(rebasing: file[start..<min(start + size, file.count)])
          try decryptor.update(piece, into: &released)
        }
      }
      try decryptor.finish(into: &released)
      return ("success", released)
    } catch let error as AgeError {
      return (outcome(of: error), released)
    } catch {
      return ("\(error)", released)
    }
  }

  private func outcome(of error: AgeError) -> String {
    switch error.code {
    case .noMatchingIdentity, .wrongPassphrase: "no match"
    case .malformedHeader, .unsupportedVersion, .excessiveWork: "header failure"
    case .headerAuthenticationFailed: "HMAC failure"
    case .payloadAuthenticationFailed, .payloadTruncated: "payload failure"
    case .malformedArmor: "armor failure"
    default: "\(error)"
    }
  }
}
