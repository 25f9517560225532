import DimpleCrypto
import Testing

/// Files that the age program made, so that something is tested even without its vectors or the program itself.
enum GoldenFile {
  static let identity = "AGE-SECRET-KEY-1HR2N867VELHQ7LVA4U0KJEKM6T7YS67TNHRHLCAT48TMTU8EXWNQ4TPMWU"
  static let recipient = "age1ku9ywcync624q8cpd2xgpfvtt5323ekt7g43vcu0kckj2qz2x47s2esung"
  static let plaintext = "made by the age program\n"
  static let toRecipient = """
    -----BEGIN AGE ENCRYPTED FILE-----
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSAyVnFKeUxmaUI5eXlNR0x0
    anRiVzV2WHJ5bUtrT2h4eUxkb1BaU3AzMGdzCkliOXU1ODdXRG9YQWw3TzE3M2ZS
    eVlDelIzNDhFRzJidzRVQVVwbjhlaU0KLS0tIFlGdFBudGUzVkxHb05CQU5tbzF1
    TXZieS9yUTVmd1ozYjhwSUxpRldkOUkKu5No+RQ/iWlgRtogAoDqXls1fg9J0UCo
    +e4cWY2qaofGNQYxsjakuC9CnxgyWEiOY4nq6AEAlIA=
    -----END AGE ENCRYPTED FILE-----

    """
  static let passphrase = "tea at four"
  static let byPassphrase = """
    -----BEGIN AGE ENCRYPTED FILE-----
    YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBURmlpQ2dBQ21lS0lZTDA3
    ZHVHMDB3IDE4CnVzSWlFc2UvU3ppczZrRXdlQldFVmlGNnFnd3dvYlBEbTlmNnND
    cDQ2clUKLS0tIHFodDdVS0xhL0NrNUtVV3Nic3VZMVFOcjFtSk9HSU9OMlNaQks5
    OWFMbnMKcVV2CiadjeytVI8b5Z3ni4wOqPqcrRmSUMKTpYHnvH9zwfCX15HUhAt7
    +J58osU=
    -----END AGE ENCRYPTED FILE-----

    """
}

@Suite("Age files open for whom they were made, and for nobody else")
struct AgeFileTests {
  /// Low, so that the tests are quick; never for real files.
  static let workFactor = 4
  let message = Array("attack at dawn".utf8)

  /// The code of the error that `body` must throw.
  private func code(_ body: () throws -> Void) -> AgeError.Code? {
    #expect(throws: AgeError.self, performing: body)?.code
  }

  @Test("A file the age program made opens with its identity")
  func goldenRecipient() throws {
    let identity = try X25519Identity(GoldenFile.identity)
    #expect(identity.recipient.description == GoldenFile.recipient)
    let opened = try Age.decrypt(Array(GoldenFile.toRecipient.utf8), with: [identity])
    #expect(opened == Array(GoldenFile.plaintext.utf8))
  }

  @Test("A file made by age -p opens with its passphrase")
  func goldenPassphrase() throws {
    let identity = ScryptIdentity(passphrase: GoldenFile.passphrase)
    #expect(try Age.decrypt(Array(GoldenFile.byPassphrase.utf8), with: [identity]) == Array("made by age -p\n".utf8))
  }

  @Test("Any of several recipients opens the file, others do not", arguments: [false, true])
  func recipients(armored: Bool) throws {
    let members = try (0..<3).map { _ in try X25519Identity() }
    let file = try Age.encrypt(message, to: members.map(\.recipient), armored: armored)
    for member in members { #expect(try Age.decrypt(file, with: [member]) == message) }
    let stranger = try X25519Identity()
    #expect(code { _ = try Age.decrypt(file, with: [stranger]) } == .noMatchingIdentity)
    #expect(code { _ = try Age.decrypt(file, with: []) } == .noMatchingIdentity)
    #expect(try Age.decrypt(file, with: [stranger, members[2]]) == message)
  }

  @Test("A passphrase opens the file, another does not")
  func passphrase() throws {
    let recipient = ScryptRecipient(passphrase: "correct horse", workFactor: Self.workFactor)
    let file = try Age.encrypt(message, to: [recipient])
    #expect(try Age.decrypt(file, with: [ScryptIdentity(passphrase: "correct horse")]) == message)
    #expect(code { _ = try Age.decrypt(file, with: [ScryptIdentity(passphrase: "Correct horse")]) } == .wrongPassphrase)
    #expect(code { _ = try Age.decrypt(file, with: [try X25519Identity()]) } == .noMatchingIdentity)
  }

  @Test("Passphrases count as bytes: composed and decomposed letters differ")
  func passphraseBytes() throws {
    let recipient = ScryptRecipient(passphrase: "caf\u{E9}", workFactor: Self.workFactor)
    let file = try Age.encrypt(message, to: [recipient])
    #expect(try Age.decrypt(file, with: [ScryptIdentity(passphrase: "caf\u{E9}")]) == message)
    #expect(code { _ = try Age.decrypt(file, with: [ScryptIdentity(passphrase: "cafe\u{301}")]) } == .wrongPassphrase)
  }

  @Test("More work than allowed is refused before it is done")
  func workLimit() throws {
    let file = try Age.encrypt(message, to: [ScryptRecipient(passphrase: "p", workFactor: 6)])
    let cautious = ScryptIdentity(passphrase: "p", maximumWorkFactor: 5)
    #expect(code { _ = try Age.decrypt(file, with: [cautious]) } == .excessiveWork)
    #expect(try Age.decrypt(file, with: [ScryptIdentity(passphrase: "p", maximumWorkFactor: 6)]) == message)
    for factor in [0, -1, 23, 64] {
      #expect(
        code { _ = try Age.encrypt(message, to: [ScryptRecipient(passphrase: "p", workFactor: factor)]) }
          == .excessiveWork)
    }
  }

  @Test("No recipients, or a passphrase beside another recipient, are refused")
  func invalidRecipients() throws {
    let passphrase = ScryptRecipient(passphrase: "p", workFactor: Self.workFactor)
    #expect(code { _ = try Age.encrypt(message, to: []) } == .invalidRecipients)
    #expect(code { _ = try Age.encrypt(message, to: [passphrase, passphrase]) } == .invalidRecipients)
    #expect(
      code { _ = try Age.encrypt(message, to: [passphrase, try X25519Identity().recipient]) } == .invalidRecipients)
  }

  @Test("Two files of the same message have nothing in common but the version line")
  func freshness() throws {
    let identity = try X25519Identity()
    let first = try Age.encrypt(message, to: [identity.recipient])
    let second = try Age.encrypt(message, to: [identity.recipient])
    #expect(first.count == second.count)
    #expect(first.suffix(16 + message.count) != second.suffix(16 + message.count))
  }

  @Test("Any byte changed, or any number cut off the end, and the file does not open", arguments: [false, true])
  func tampering(armored: Bool) throws {
    let identity = try X25519Identity()
    let file = try Age.encrypt(message, to: [identity.recipient], armored: armored)
    for index in file.indices {
      for flip: UInt8 in [0x01, 0x20, 0x80] {
        var altered = file
        altered[index] ^= flip
        #expect(throws: AgeError.self, "byte \(index) with \(flip)") { try Age.decrypt(altered, with: [identity]) }
      }
    }
    // The newline after the armor's last line may be missing.
    for count in 0..<(armored ? file.count - 1 : file.count) {
      #expect(throws: AgeError.self, "\(count) bytes") { try Age.decrypt(Array(file.prefix(count)), with: [identity]) }
    }
    #expect(throws: AgeError.self) { try Age.decrypt(file + [0], with: [identity]) }
  }

  @Test("An altered header, other versions and other files have errors of their own")
  func headerErrors() throws {
    let identity = try X25519Identity()
    let file = try Age.encrypt(message, to: [identity.recipient])
    let greased = Array("age-encryption.org/v1\n-> grease\n\n".utf8) + file.dropFirst(22)
    #expect(code { _ = try Age.decrypt(greased, with: [identity]) } == .headerAuthenticationFailed)
    let newer = Array("age-encryption.org/v2\n".utf8) + file.dropFirst(22)
    #expect(code { _ = try Age.decrypt(newer, with: [identity]) } == .unsupportedVersion)
    for other in ["", "\u{89}PNG", "age-encryption.org", "age-encryption.org/v1\n--- ", "{}"] {
      #expect(code { _ = try Age.decrypt(Array(other.utf8), with: [identity]) } == .malformedHeader, "\(other)")
    }
    let endless = Array("age-encryption.org/v1\n-> X25519 ".utf8) + [UInt8](repeating: 65, count: 2 << 20)
    #expect(code { _ = try Age.decrypt(endless, with: [identity]) } == .malformedHeader)
    let noStanzas = Array("age-encryption.org/v1\n--- \(String(repeating: "A", count: 43))\n".utf8)
    #expect(code { _ = try Age.decrypt(noStanzas, with: [identity]) } == .malformedHeader)
  }

  @Test("An app's own recipient and identity take part")
  func ownKinds() throws {
    struct Plain: AgeRecipient, AgeIdentity {
      func wrap(fileKey: [UInt8]) throws -> [AgeStanza] {
        [AgeStanza(type: "example.org/plain", arguments: ["a", "b"], body: fileKey + [UInt8](repeating: 7, count: 80))]
      }
      func unwrap(_ stanzas: [AgeStanza]) throws -> [UInt8]? {
        guard let stanza = stanzas.first(where: { $0.type == "example.org/plain" }) else { return nil }
        #expect(stanza.arguments == ["a", "b"])
        #expect(stanza.body.count == 96, "two full lines and an empty one")
        return Array(stanza.body.prefix(16))
      }
    }
    struct Spaced: AgeRecipient {
      func wrap(fileKey: [UInt8]) throws -> [AgeStanza] { [AgeStanza(type: "a b", arguments: [], body: fileKey)] }
    }
    let identity = try X25519Identity()
    let file = try Age.encrypt(message, to: [Plain(), identity.recipient])
    #expect(try Age.decrypt(file, with: [Plain()]) == message)
    #expect(try Age.decrypt(file, with: [identity]) == message)
    #expect(code { _ = try Age.encrypt(message, to: [Spaced()]) } == .invalidRecipients)
  }
}
