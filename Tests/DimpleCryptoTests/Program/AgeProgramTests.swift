import DimpleCrypto
import Foundation
import Testing

@Suite(
  "Files go both ways between this library and the age program",
  .enabled(if: AgeProgram.isInstalled || AgeProgram.isPromised, "the age program is not installed"))
struct AgeProgramTests {
  let age: AgeProgram
  let message = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }

  init() throws { age = try AgeProgram() }

  @Test("To a recipient: made here, opened there", arguments: [false, true])
  func toTheProgram(armored: Bool) throws {
    defer { age.remove() }
    try age.run("age-keygen", ["-o", "key.txt"])
    let text = String(decoding: try age.read("key.txt"), as: UTF8.self)
    let identity = try #require(AgeKeyFile.identities(in: text).first)
    #expect(try age.run("age-keygen", ["-y", "key.txt"]) == "\(identity.recipient)\n")
    try age.write("file.age", Age.encrypt(message, to: [identity.recipient], armored: armored))
    try age.run("age", ["-d", "-i", "key.txt", "-o", "file", "file.age"])
    #expect(try age.read("file") == message)
  }

  @Test("To a recipient: made there, opened here", arguments: [false, true])
  func fromTheProgram(armored: Bool) throws {
    defer { age.remove() }
    let identity = try X25519Identity()
    try age.write("file", message)
    let recipients = ["-r", "\(identity.recipient)", "-r", "\(try X25519Identity().recipient)"]
    try age.run("age", ["-e"] + (armored ? ["-a"] : []) + recipients + ["-o", "file.age", "file"])
    let file = try age.read("file.age")
    #expect(file.starts(with: Array("-----BEGIN".utf8)) == armored)
    #expect(try Age.decrypt(file, with: [identity]) == message)
  }

  @Test("A key file written here is read there")
  func keyFile() throws {
    defer { age.remove() }
    let identity = try X25519Identity()
    try age.write("key.txt", Array(AgeKeyFile.text(for: identity).utf8))
    #expect(try age.run("age-keygen", ["-y", "key.txt"]) == "\(identity.recipient)\n")
  }

  @Test("By passphrase: made here, opened there")
  func passphraseToTheProgram() throws {
    defer { age.remove() }
    try age.write("file.age", Age.encrypt(message, to: [ScryptRecipient(passphrase: "tea at four", workFactor: 10)]))
    try age.run(answering: "tea at four", ["-d", "-o", "file", "file.age"])
    #expect(try age.read("file") == message)
  }

  @Test("By passphrase: made there, opened here")
  func passphraseFromTheProgram() throws {
    defer { age.remove() }
    try age.write("file", message)
    try age.run(answering: "tea at four", ["-p", "-o", "file.age", "file"])
    #expect(try Age.decrypt(age.read("file.age"), with: [ScryptIdentity(passphrase: "tea at four")]) == message)
  }
}
