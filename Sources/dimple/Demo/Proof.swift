internal import DimpleDb

/// The demonstration's end: both replicas are the same, and nobody else can read the vault.
struct Proof {
  let phone: Device
  let laptop: Device
  let vault: DemoVault
  let narrator: Narrator

  func run(folder: String) async throws {
    narrator.headline("Both replicas are identical: a checksum of every row, table by table.")
    try compare()
    narrator.headline("The packs in \(vault.place) are encrypted: the storage sees no name and no value.")
    let storage = try vault.remote.storage()
    let packs = try await storage.listAll(prefix: "log/")
    guard let pack = packs.first else { throw Failure("The vault has no packs.") }
    let bytes = try await storage.get(pack.key, maximumSize: 1 << 28)
    guard bytes.starts(with: Array("age-encryption.org/v1\n".utf8)) else {
      throw Failure("\(pack.key) is not encrypted.")
    }
    narrator.success("\(packs.count) packs, \(packs.reduce(0) { $0 + $1.size }) bytes, each an age v1 file")
    try await wrongPassphrase()
    try await openWithAge(bytes, folder: folder, storage: storage)
  }

  private func compare() throws {
    let (left, right) = (try phone.database.fingerprint(), try laptop.database.fingerprint())
    for (mine, theirs) in zip(left.tables, right.tables) {
      guard mine == theirs else { throw Failure("The table \(mine.name) differs.") }
      narrator.success("\(mine.digest.prefix(16))…  \(mine.name) (\(mine.rowCount) rows)")
    }
    guard left == right else { throw Failure("The replicas differ.") }
    narrator.success("phone  \(left)")
    narrator.success("laptop \(right)")
  }

  private func wrongPassphrase() async throws {
    let stranger = SyncEngine(
      try Database.openInMemory(), remote: vault.remote, encryption: .passphrase("let me in"))
    do {
      _ = try await stranger.sync()
      throw Failure("A wrong passphrase opened the vault.")
    } catch let error as RemoteError where error.code == .wrongPassphrase {
      narrator.success("a wrong passphrase is refused: \(error.message)")
    }
  }

  /// With the stock program, where it is installed: nobody depends on this library to get at their data.
  private func openWithAge(_ pack: [UInt8], folder: String, storage: any ObjectStorage) async throws {
    let opened = try await AgeVaultProvider(passphrase: vault.passphrase).openAgeVault(on: storage)
    try FileSystem.write(Array(AgeKeyFile.text(for: opened.identity).utf8), to: "\(folder)/vault.key")
    try FileSystem.write(pack, to: "\(folder)/pack.age")
    let command = "age -d -i '\(folder)/vault.key' '\(folder)/pack.age' | gunzip | head -c 160"
    guard Shell.has("age"), Shell.has("gunzip") else {
      narrator.line("(the stock age program is not installed; with it: \(command.replacing("'\(folder)/", with: "'")))")
      return
    }
    let text = try Shell.output(of: command)
    guard text.hasPrefix(#"{"format":1"#) else { throw Failure("The stock age program did not open the pack: \(text)") }
    narrator.success("the stock age program opens them: \(text.prefix(100))…")
  }
}
