import DimpleCrypto
import Testing

@Suite("Keys as text")
struct AgeKeyTests {
  private func code(_ body: () throws -> Void) -> AgeError.Code? {
    #expect(throws: AgeError.self, performing: body)?.code
  }

  @Test("The specification's example key")
  func specification() throws {
    let identity = try X25519Identity("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
    #expect(identity.recipient.description == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
    #expect(identity.secretText == "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
  }

  @Test("New keys survive being written and read")
  func roundTrip() throws {
    let identity = try X25519Identity()
    #expect(try X25519Identity(identity.secretText) == identity)
    #expect(try X25519Recipient(identity.recipient.description) == identity.recipient)
    #expect(try X25519Identity() != identity)
  }

  @Test("One wrong character anywhere is noticed")
  func typingErrors() {
    for text in [GoldenFile.identity, GoldenFile.recipient] {
      for index in text.indices {
        var wrong = text
        wrong.replaceSubrange(
          index...index, with: text[index] == "Q" || text[index] == "q" ? "5" : (text == text.uppercased() ? "Q" : "q"))
        #expect(code { _ = try X25519Identity(wrong) } == .invalidKey)
        #expect(code { _ = try X25519Recipient(wrong) } == .invalidKey)
      }
    }
  }

  @Test(
    "Other cases, kinds and lengths are refused",
    arguments: [
      "", "1", "age1", GoldenFile.recipient.uppercased(), GoldenFile.identity.lowercased(), GoldenFile.identity + " ",
      "age1" + String(GoldenFile.recipient.dropFirst(5)),
      "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR",
      "ssh-ed25519 AAAA", "A12UEL5L",
    ])
  func refused(text: String) {
    #expect(code { _ = try X25519Identity(text) } == .invalidKey)
    #expect(code { _ = try X25519Recipient(text) } == .invalidKey)
  }

  @Test("A key file holds several keys, comments and empty lines, with any line ends")
  func keyFile() throws {
    let (first, second) = (try X25519Identity(), try X25519Identity())
    let text = "# created: today\r\n\r\n\(first.secretText)\r\n# the other\n\(second.secretText)"
    #expect(try AgeKeyFile.identities(in: text) == [first, second])
    #expect(
      try AgeKeyFile.recipients(in: "\(first.recipient)\n\n\(second.recipient)\n") == [
        first.recipient, second.recipient,
      ])
    #expect(try AgeKeyFile.identities(in: AgeKeyFile.text(for: first)) == [first])
    #expect(AgeKeyFile.text(for: first).contains("# public key: \(first.recipient)\n"))
  }

  @Test("A key file's error names the line and not the secret")
  func keyFileErrors() throws {
    let secret = try X25519Identity().secretText
    let error = #expect(throws: AgeError.self) { try AgeKeyFile.identities(in: "# one\n\(secret)x\n") }
    #expect(error?.code == .invalidKey)
    #expect(error?.message.contains("line 2") == true)
    #expect("\(error as Any)".contains(secret) == false)
    #expect(code { _ = try AgeKeyFile.identities(in: "# nothing\n") } == .invalidKey)
  }

  @Test("Neither descriptions nor dumps show a secret")
  func redaction() throws {
    let identity = try X25519Identity()
    var dumped = ""
    dump(identity, to: &dumped)
    dump(ScryptIdentity(passphrase: "open sesame"), to: &dumped)
    dump(ScryptRecipient(passphrase: "open sesame"), to: &dumped)
    dumped += "\(identity) \(String(reflecting: identity)) \(ScryptIdentity(passphrase: "open sesame"))"
    dumped += " \(String(reflecting: ScryptRecipient(passphrase: "open sesame")))"
    #expect(!dumped.contains("SECRET"))
    #expect(!dumped.contains("sesame"))
    #expect(!dumped.contains("\(Array("open sesame".utf8))"))
    #expect(dumped.contains(identity.recipient.description))
  }
}
