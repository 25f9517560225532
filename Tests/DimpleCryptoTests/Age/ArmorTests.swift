import DimpleCrypto
import Testing

@Suite("Armor has one form, but for whitespace around it and CRLF")
struct ArmorTests {
  private func open(_ text: String) throws -> [UInt8] {
    try Age.decrypt(Array(text.utf8), with: [X25519Identity(GoldenFile.identity)])
  }

  private func refuses(_ text: String, _ comment: Comment) {
    let error = #expect(throws: AgeError.self, comment) { try open(text) }
    #expect(error?.code == .malformedArmor, comment)
  }

  private var lines: [String] { GoldenFile.toRecipient.split(separator: "\n").map(String.init) }

  @Test("Whitespace around it, CRLF and a missing last newline are accepted")
  func accepted() throws {
    let file = GoldenFile.toRecipient
    let plaintext = Array(GoldenFile.plaintext.utf8)
    #expect(try open(" \r\n\t\n" + file + "\n \t\r\n") == plaintext)
    #expect(try open(file.replacing("\n", with: "\r\n")) == plaintext)
    #expect(try open(String(file.dropLast())) == plaintext)
  }

  @Test("Every other form is refused")
  func refused() {
    let file = GoldenFile.toRecipient
    refuses("\n" + file.dropFirst(), "the opening line lacks a dash")
    refuses(file + "x", "text after the end")
    refuses(file + file, "two files")
    refuses(file.replacing("AGE ENCRYPTED FILE", with: "AGE ENCRYPTED MESSAGE"), "another label")
    refuses(file.replacing("BEGIN", with: "begin"), "lowercase")
    refuses(lines.dropLast().joined(separator: "\n") + "\n", "no closing line")
    refuses(file.replacing("\n", with: " \n"), "spaces at line ends")
    refuses(file.replacing("\n", with: "\r"), "carriage returns alone")
    refuses(lines.joined(separator: "\n\n"), "empty lines")
    refuses(file.replacing("=", with: ""), "no padding")
    refuses(lines.prefix(2).joined(separator: "\n") + lines[2...].joined(separator: "\n"), "a long line")
    let short = lines[..<1] + [String(lines[1].prefix(60)), String(lines[1].suffix(4))] + lines[2...]
    refuses(short.joined(separator: "\n"), "a short line in the middle")
    refuses(file.replacing("AEAlIA=", with: "AEAlIB="), "spare bits that are not zero")
  }

  @Test("What is written has lines of 64 characters and a newline at the end")
  func written() throws {
    let identity = try X25519Identity()
    for count in 0..<100 {
      let file = try Age.encrypt([UInt8](repeating: 1, count: count), to: [identity.recipient], armored: true)
      let text = String(decoding: file, as: UTF8.self)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.first == "-----BEGIN AGE ENCRYPTED FILE-----")
      #expect(lines.suffix(2) == ["-----END AGE ENCRYPTED FILE-----", ""])
      #expect(lines.dropFirst().dropLast(3).allSatisfy { $0.count == 64 })
      #expect((1...64).contains(lines[lines.count - 3].count))
    }
  }
}
