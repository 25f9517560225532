import DimpleDb
import Foundation
import Testing

@Suite("The dimple program")
struct ToolTests {
  private static let create = "CREATE TABLE Todo (id INTEGER PRIMARY KEY, text TEXT, data BLOB)"

  private func expectSuccess(_ arguments: String..., environment: [String: String] = [:]) throws -> String {
    let result = try Tool.run(arguments, environment: environment)
    #expect(result.status == 0, "dimple \(arguments.joined(separator: " ")): \(result.errors)")
    return result.output
  }

  @Test func adoptsQueriesLogsAndFingerprints() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("app.db")
    let plain = try Database(path, migrations: [Migration("create", "\(raw: Self.create)")])
    try await plain.execute("INSERT INTO Todo VALUES (1, 'old', NULL)")
    try await plain.close()

    let refused = try Tool.run("log", path)
    #expect(refused.status != 0)
    #expect(refused.errors.contains("dimple adopt"))
    #expect(try expectSuccess("adopt", path, "--json") == "{\"tables\":1,\"rows\":1}\n")
    _ = try expectSuccess("query", path, "INSERT INTO Todo VALUES (2, 'new', x'00ff')")
    #expect(
      try expectSuccess("query", path, "SELECT text, data FROM Todo ORDER BY id", "--json")
        == "{\"text\":\"old\",\"data\":null}\n{\"text\":\"new\",\"data\":{\"blob\":\"AP8=\"}}\n")
    let log = try expectSuccess("log", path, "--json").split(separator: "\n")
    #expect(log.count == 2)
    #expect(log[1].contains(#""table":"Todo","op":"insert","key":[2],"columns":{"text":"new""#))
    #expect(try expectSuccess("log", path, "--after", "1", "--json").split(separator: "\n").count == 1)
    let fingerprint = try expectSuccess("fingerprint", path)
    #expect(fingerprint.count == 65)
  }

  @Test func theDemonstrationOnAFileSeesAllOfItAndTouchesNothing() async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("app.db")
    let database = try Database(path, migrations: [Migration("create", "\(raw: Self.create)")])
    // In the write-ahead log alone for as long as the database is open.
    try await database.execute("INSERT INTO Todo VALUES (1, 'one', NULL), (2, 'two', NULL), (3, 'three', NULL)")
    let files = [path, "\(path)-wal"].map { URL(filePath: $0) }
    let before = try files.map { try Data(contentsOf: $0) }
    let output = try expectSuccess("demo", path)
    #expect(output.contains("Todo (3 rows)"))
    #expect(try files.map { try Data(contentsOf: $0) } == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("")).allSatisfy { $0.hasPrefix("app.db") })
    try await database.close()
  }

  @Test func verifiesRepairsAndListsReplicas() async throws {
    let folder = try TemporaryFolder()
    let (path, vault) = (folder.file("app.db"), folder.file("vault"))
    try FileManager.default.createDirectory(atPath: vault, withIntermediateDirectories: true)
    let database = try Database(path, migrations: [Migration("create", "\(raw: Self.create)")])
    try await database.close()
    _ = try expectSuccess("adopt", path)
    _ = try expectSuccess("query", path, "INSERT INTO Todo VALUES (1, 'one', NULL)")
    _ = try expectSuccess("sync", path, vault, "--unencrypted")
    #expect(try expectSuccess("verify", path, vault, "--unencrypted").contains("all well"))
    let replicas = try expectSuccess("replicas", path, "--json")
    #expect(replicas.contains(#""kind":"own""#) && replicas.contains(#""transactions":[[1,1]]"#))
    #expect(try expectSuccess("held", path).isEmpty)

    let log = vault + "/log"
    for name in try FileManager.default.contentsOfDirectory(atPath: log) {
      try FileManager.default.removeItem(atPath: "\(log)/\(name)")
    }
    let broken = try Tool.run("verify", path, vault, "--unencrypted", "--json")
    #expect(broken.status == 1)
    #expect(broken.output.contains(#""finding":"missingPacks""#) && broken.output.contains(#""remedy":"repair""#))
    #expect(
      try expectSuccess("repair", path, vault, "--unencrypted", "--json")
        == "{\"resentTransactions\":1,\"removedObjects\":0,\"correctedRows\":0,\"remaining\":0}\n")
    #expect(try expectSuccess("verify", path, vault, "--unencrypted", "--json").contains(#""findings":0"#))
  }

  @Test func mistakesEndWithAnotherExitCodeAndAReason() throws {
    let folder = try TemporaryFolder()
    for arguments in [
      ["query", folder.file("missing.db"), "SELECT 1"], ["fingerprint", folder.file("missing.db")], ["nonsense"],
      ["age", "decrypt", folder.file("missing.age"), "-i", folder.file("missing.key")], ["s3", "ls", "http://bucket"],
      ["age", "encrypt"],
    ] {
      let result = try Tool.run(arguments, environment: ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"])
      #expect(result.status != 0, "\(arguments)")
      #expect(!result.errors.isEmpty, "\(arguments)")
      #expect(result.output.isEmpty, "\(arguments)")
    }
    #expect(try Tool.run("sync", "--help").output.contains("EXAMPLES"))
  }

  /// Nobody listens there, and the complaint says where the request would have gone.
  @Test func aBucketIsNamedInTheHostWhereThatIsAskedFor() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.db")
    try Database.open(path, migrations: [Migration("create", "\(raw: Self.create)")]).close()
    let keys = ["AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": ""]
    let place = ["--endpoint", "http://localhost:1"]
    for command in [["s3", "ls", "s3://music"], ["sync", path, "s3://music/vault", "--unencrypted"]] {
      let inPath = try Tool.run(command + place, environment: keys)
      #expect(inPath.status != 0 && inPath.errors.contains("http://localhost:1"), "\(inPath.errors)")
      let inHost = try Tool.run(command + place + ["--virtual-host"], environment: keys)
      #expect(inHost.status != 0 && inHost.errors.contains("http://music.localhost:1"), "\(inHost.errors)")
    }
  }

  @Test func ageFilesGoBothWays() throws {
    let folder = try TemporaryFolder()
    let key = folder.file("key.txt")
    let generated = try Tool.run("age", "keygen", "-o", key)
    #expect(generated.status == 0)
    let recipient = try #require(generated.errors.split(separator: " ").last).trimmingCharacters(
      in: .whitespacesAndNewlines)
    let text = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7) })
    try text.write(to: URL(filePath: folder.file("plain")))
    _ = try expectSuccess("age", "encrypt", "-r", recipient, "-o", folder.file("sealed.age"), folder.file("plain"))
    _ = try expectSuccess("age", "decrypt", "-i", key, "-o", folder.file("opened"), folder.file("sealed.age"))
    #expect(try Data(contentsOf: URL(filePath: folder.file("opened"))) == text)

    // A file cut short is refused, and leaves nothing behind.
    try Data(contentsOf: URL(filePath: folder.file("sealed.age"))).dropLast(10)
      .write(to: URL(filePath: folder.file("short.age")))
    let short = try Tool.run("age", "decrypt", "-i", key, "-o", folder.file("short"), folder.file("short.age"))
    #expect(short.status != 0)
    #expect(!FileManager.default.fileExists(atPath: folder.file("short")))
  }

  @Test(arguments: ["open sesame", "open sesame\n", "open sesame\r\n", "open sesame\r\nmore"])
  func aPassphraseIsTheFirstLineOfItsFile(text: String) throws {
    let folder = try TemporaryFolder()
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("phrase")))
    let sealed = try Tool.run(
      ["age", "encrypt", "-p", "-a", "--passphrase-file", folder.file("phrase")], input: Data("hello".utf8))
    try Data(sealed.output.utf8).write(to: URL(fileURLWithPath: folder.file("sealed")))
    let opened = try Tool.run(
      ["age", "decrypt", folder.file("sealed")], environment: ["DIMPLE_PASSPHRASE": "open sesame"])
    #expect(opened.output == "hello")
  }

  @Test func passphrasesComeFromTheEnvironment() throws {
    let environment = ["DIMPLE_PASSPHRASE": "open sesame"]
    let sealed = try Tool.run(["age", "encrypt", "-p", "-a"], environment: environment, input: Data("hello".utf8))
    #expect(sealed.output.hasPrefix("-----BEGIN AGE ENCRYPTED FILE-----\n"))
    let opened = try Tool.run(["age", "decrypt"], environment: environment, input: Data(sealed.output.utf8))
    #expect(opened.output == "hello")
    let wrong = try Tool.run(
      ["age", "decrypt"], environment: ["DIMPLE_PASSPHRASE": "wrong"], input: Data(sealed.output.utf8))
    #expect(wrong.status != 0)
    #expect(wrong.output.isEmpty)
  }

  @Test(.enabled(if: Environment.expectsS3, "needs the S3 server of scripts/test"))
  func objectsOfABucket() async throws {
    let (server, bucket) = try await Environment.makeBucket()
    let folder = try TemporaryFolder()
    let environment = ["AWS_ACCESS_KEY_ID": server.accessKey, "AWS_SECRET_ACCESS_KEY": server.secretKey]
    let location = ["--endpoint", server.endpoint, "--region", server.region]
    func s3(_ arguments: String..., input: Data = Data()) throws -> Tool.Result {
      try Tool.run(["s3"] + arguments + location, environment: environment, input: input)
    }
    try Data("from a file".utf8).write(to: URL(filePath: folder.file("a")))
    #expect(try s3("put", folder.file("a"), "s3://\(bucket)/dir/a").status == 0)
    #expect(try s3("put", "-", "s3://\(bucket)/dir/b", input: Data("from a pipe".utf8)).status == 0)
    #expect(try s3("ls", "s3://\(bucket)/dir").output == "11\tdir/a\n11\tdir/b\n")
    #expect(try s3("ls", "s3://\(bucket)", "--json").output.contains(#"{"key":"dir/a","size":11}"#))
    #expect(try s3("get", "s3://\(bucket)/dir/b", "-").output == "from a pipe")
    #expect(try s3("get", "s3://\(bucket)/dir/a", folder.file("back")).status == 0)
    #expect(try String(contentsOf: URL(filePath: folder.file("back")), encoding: .utf8) == "from a file")
    #expect(try s3("rm", "s3://\(bucket)/dir/a").status == 0)
    #expect(try s3("get", "s3://\(bucket)/dir/a", "-").status != 0)

    // And a whole sync through the same server.
    let path = folder.file("app.db")
    let database = try Database(path, migrations: [Migration("create", "\(raw: Self.create)")])
    try await database.close()
    _ = try expectSuccess("adopt", path)
    _ = try expectSuccess("query", path, "INSERT INTO Todo (text) VALUES ('x')")
    let sync = try Tool.run(
      ["sync", path, "s3://\(bucket)/vault", "--json"] + location,
      environment: environment.merging(["DIMPLE_PASSPHRASE": "p"]) { $1 })
    #expect(sync.status == 0, "\(sync.errors)")
    #expect(sync.output.contains(#""pushedTransactions":1"#))
    #expect(try s3("ls", "s3://\(bucket)/vault").output.split(separator: "\n").count == 3)
  }
}
