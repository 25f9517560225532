internal import ArgumentParser
internal import DimpleDb

/// `dimple replicas DB`
struct ReplicasCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replicas", abstract: "List the devices that a database knows, and their keys.",
    discussion: """
      EXAMPLES
        dimple replicas app.db
      """)

  @Argument(help: "The database file.") var db: String
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    for replica in try await database.knownReplicas() {
      Console.print(output.json ? Self.object(replica) : Self.line(replica))
    }
  }

  private static func line(_ replica: KnownReplica) -> String {
    let numbers = replica.transactions.map { "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
    return "\(replica.id) \(replica.kind)  key \(replica.keyFingerprint ?? "not seen")  transactions "
      + (numbers.isEmpty ? "none" : numbers)
  }

  private static func object(_ replica: KnownReplica) -> String {
    var writer = JSONWriter()
    writer.raw(#"{"replica":"#)
    writer.string(replica.id.description)
    writer.raw(#","kind":"#)
    writer.string("\(replica.kind)")
    writer.raw(#","key":"#)
    replica.keyFingerprint.map { writer.string($0) } ?? writer.raw("null")
    writer.raw(#","lastChange":"#)
    replica.lastChange.map { writer.integer($0.milliseconds) } ?? writer.raw("null")
    writer.raw(#","transactions":"#)
    writer.list(replica.transactions, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { writer, range in
      writer.list([range.lowerBound, range.upperBound], from: UInt8(ascii: "["), to: UInt8(ascii: "]")) {
        $0.integer($1)
      }
    }
    writer.raw("}")
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
