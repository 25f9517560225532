internal import ArgumentParser
internal import DimpleDb

/// `dimple demo [FILE.sqlite] [--s3]`
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Two devices, edits that meet, and a vault that nobody else can read.",
    discussion: """
      Works in a temporary folder that it removes. With FILE, on a copy of that database; FILE itself is never written.
      With --s3, through the bucket that DIMPLE_DEMO_S3_ENDPOINT, DIMPLE_DEMO_S3_BUCKET, DIMPLE_DEMO_S3_REGION and the AWS_*
      variables name; scripts/demo --s3 starts a server and sets them.

      EXAMPLES
        dimple demo
        dimple demo Chinook.sqlite
      """)

  @Argument(help: "Any SQLite database.") var file: String?
  @Flag(name: .customLong("s3"), help: "Sync through an S3 bucket instead of a folder.") var usesS3 = false
  @Flag(help: "Keep the temporary folder, and say where it is.") var keep = false

  func run() async throws {
    let folder = try FileSystem.makeTemporaryFolder("dimple-demo")
    defer { if !keep { FileSystem.remove(folder) } }
    let narrator = Narrator()
    let vault = try makeVault(folder: folder)
    narrator.headline(
      "Two devices, “phone” and “laptop”, each with a database of its own; they meet in \(vault.place).")
    let (phone, laptop) = try makeDevices(folder: folder, vault: vault, narrator)
    if file == nil {
      try await MusicDemo(phone: phone, laptop: laptop, narrator: narrator).run()
    } else {
      try await FileDemo(phone: phone, laptop: laptop, narrator: narrator).run()
    }
    try await Proof(phone: phone, laptop: laptop, vault: vault, narrator: narrator).run(folder: folder)
    Console.print("\nThat was the main job." + (keep ? " Everything is in \(folder)." : ""))
  }

  private func makeDevices(
    folder: String, vault: DemoVault, _ narrator: Narrator
  ) throws -> (Device, Device) {
    guard let file else {
      let make = { try Device($0, folder: folder, migrations: MusicDemo.migrations, vault: vault) }
      return (try make("phone"), try make("laptop"))
    }
    guard FileSystem.exists(file) else { throw Failure("There is no file \(file).") }
    try FileSystem.copyDatabase(file, to: "\(folder)/phone.db")
    try FileDemo.check("\(folder)/phone.db", copyOf: file)
    narrator.line("The phone's database is a copy of \(file).")
    let schema = try FileDemo.schema(of: "\(folder)/phone.db")
    return (
      try Device("phone", folder: folder, migrations: [], vault: vault),
      try Device("laptop", folder: folder, migrations: schema, vault: vault)
    )
  }

  private func makeVault(folder: String) throws -> DemoVault {
    let passphrase = "correct horse battery staple"
    guard usesS3 else {
      let path = "\(folder)/vault"
      return DemoVault(remote: .directory(path), passphrase: passphrase, place: "the folder \(path)")
    }
    guard let endpoint = Environment["DIMPLE_DEMO_S3_ENDPOINT"], let bucket = Environment["DIMPLE_DEMO_S3_BUCKET"]
    else {
      throw Failure("Set DIMPLE_DEMO_S3_ENDPOINT and DIMPLE_DEMO_S3_BUCKET, or run scripts/demo --s3.")
    }
    let prefix = "demo-\(UUIDv7())"
    let keys = try S3Keys.fromEnvironment()
    let remote = Remote.s3(
      endpoint: endpoint, bucket: bucket, prefix: prefix, region: Environment["DIMPLE_DEMO_S3_REGION"] ?? "us-east-1",
      accessKey: keys.access, secretKey: keys.secret, sessionToken: keys.sessionToken)
    return DemoVault(remote: remote, passphrase: passphrase, place: "s3://\(bucket)/\(prefix) at \(endpoint)")
  }
}
