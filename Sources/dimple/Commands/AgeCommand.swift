internal import ArgumentParser
internal import DimpleDb

/// `dimple age keygen|encrypt|decrypt`
struct AgeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "age", abstract: "Encrypt and decrypt files in the age format (age-encryption.org/v1).",
    discussion: """
      EXAMPLES
        dimple age keygen -o key.txt
        dimple age encrypt -r age1… -o notes.age notes.txt
        dimple age encrypt -p < notes.txt > notes.age
        dimple age decrypt -i key.txt notes.age
      """,
    subcommands: [KeyGeneration.self, Encrypt.self, Decrypt.self])

  struct KeyGeneration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "keygen", abstract: "Make a new key pair.")

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to; standard output otherwise.", valueName: "file"))
    var output: String?

    func run() async throws {
      let identity = try X25519Identity()
      let file = try OutputFile(output)
      try file.write(Array(AgeKeyFile.text(for: identity).utf8))
      try file.finish()
      if output != nil { Console.warn("Public key: \(identity.recipient)") }
    }
  }

  struct Encrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "encrypt", abstract: "Encrypt to public keys, or with a passphrase.")

    @Option(name: .shortAndLong, help: ArgumentHelp("A public key; may be repeated.", valueName: "age1…"))
    var recipient: [String] = []
    @Flag(name: .shortAndLong, help: "With a passphrase, from DIMPLE_PASSPHRASE or the terminal.")
    var passphrase = false
    @Flag(name: .shortAndLong, help: "As text (PEM).")
    var armor = false
    @Option(name: .shortAndLong, help: ArgumentHelp("Where to; standard output otherwise.", valueName: "file"))
    var output: String?
    @Argument(help: "What to encrypt; standard input otherwise.") var file: String?
    @OptionGroup var secret: PassphraseOptions

    func run() async throws {
      guard passphrase != !recipient.isEmpty else {
        throw Failure("Give either public keys (-r) or -p for a passphrase.")
      }
      let recipients: [any AgeRecipient] =
        passphrase
        ? [ScryptRecipient(passphrase: try secret.passphrase())] : try recipient.map { try X25519Recipient($0) }
      let encryptor = try AgeEncryptor(to: recipients, armored: armor)
      let target = try OutputFile(output)
      try InputFile(file ?? "-").forEachChunk { try target.write(encryptor.update($0)) }
      try target.write(encryptor.finish())
      try target.finish()
    }
  }

  struct Decrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "decrypt", abstract: "Decrypt with key files, or with a passphrase where none is given.")

    @Option(name: .shortAndLong, help: ArgumentHelp("A file with private keys; may be repeated.", valueName: "keyfile"))
    var identity: [String] = []
    @Option(name: .shortAndLong, help: ArgumentHelp("Where to; standard output otherwise.", valueName: "file"))
    var output: String?
    @Argument(help: "What to decrypt; standard input otherwise.") var file: String?
    @OptionGroup var secret: PassphraseOptions

    func run() async throws {
      let identities: [any AgeIdentity] =
        identity.isEmpty
        ? [ScryptIdentity(passphrase: try secret.passphrase())]
        : try identity.flatMap { try AgeKeyFile.identities(in: FileSystem.readText($0)) }
      let decryptor = AgeDecryptor(with: identities)
      let target = try OutputFile(output)
      try InputFile(file ?? "-").forEachChunk { try target.write(decryptor.update($0)) }
      try target.write(decryptor.finish())
      try target.finish()
    }
  }
}
