internal import ArgumentParser
internal import DimpleDb

/// `dimple s3 ls|get|put|rm`
struct S3Command: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "s3", abstract: "List, read, write and remove objects of an S3-compatible bucket.",
    discussion: """
      Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

      EXAMPLES
        dimple s3 ls s3://bucket/prefix --endpoint https://s3.example.org --region eu-central-1
        dimple s3 get s3://bucket/key file
        dimple s3 put - s3://bucket/key < file
        dimple s3 rm s3://bucket/key
      """,
    subcommands: [List.self, Get.self, Put.self, Remove.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List objects: size and key.")

    @Argument(help: "s3://bucket or s3://bucket/prefix") var url: String
    @OptionGroup var s3: S3Options
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let url = try S3URL(url)
      let client = try s3.client(bucket: url.bucket)
      var token: String?
      repeat {
        let page = try await client.list(prefix: url.key, continuationToken: token)
        for object in page.objects { Console.print(output.json ? Self.line(object) : "\(object.size)\t\(object.key)") }
        token = page.continuationToken
      } while token != nil
    }

    private static func line(_ object: S3Object) -> String {
      var writer = JSONWriter()
      writer.raw(#"{"key":"#)
      writer.string(object.key)
      writer.raw(#","size":"#)
      writer.integer(object.size)
      writer.raw("}")
      return String(decoding: writer.bytes, as: UTF8.self)
    }
  }

  struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Read an object into a file.")

    @Argument(help: "s3://bucket/key") var url: String
    @Argument(help: "A file, or - for standard output.") var file: String
    @OptionGroup var s3: S3Options

    func run() async throws {
      let url = try S3URL(url)
      let client = try s3.client(bucket: url.bucket)
      if file == "-" {
        Console.write(try await client.get(url.key, maximumSize: 1 << 31))
      } else {
        _ = try await client.get(url.key, toFile: file)
      }
    }
  }

  struct Put: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "put", abstract: "Write a file as an object.")

    @Argument(help: "A file, or - for standard input.") var file: String
    @Argument(help: "s3://bucket/key") var url: String
    @OptionGroup var s3: S3Options

    func run() async throws {
      let url = try S3URL(url)
      let client = try s3.client(bucket: url.bucket)
      if file == "-" {
        _ = try await client.put(url.key, try InputFile("-").readAll())
      } else {
        _ = try await client.put(url.key, file: file)
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rm", abstract: "Remove an object; removing what is not there succeeds.")

    @Argument(help: "s3://bucket/key") var url: String
    @OptionGroup var s3: S3Options

    func run() async throws {
      let url = try S3URL(url)
      try await s3.client(bucket: url.bucket).delete(url.key)
    }
  }
}
