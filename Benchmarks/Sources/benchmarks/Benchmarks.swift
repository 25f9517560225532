import Foundation

/// `benchmarks [suite…] [--json] [--smoke]`
@main
struct Benchmarks {
  static func main() async {
    defer { TemporaryFolder.remove() }
    do {
      try await run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
      TemporaryFolder.remove()
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) async throws {
    let options = Set(arguments.filter { $0.hasPrefix("-") })
    let names = arguments.filter { !$0.hasPrefix("-") }
    let known = Suite.all.map(\.name)
    for unknown in options.subtracting(["--json", "--smoke"]).union(names).subtracting(known)
    where !["--json", "--smoke"].contains(unknown) {
      throw UsageError(
        description: "no suite or option \(unknown); there are \(known.joined(separator: ", ")), --json, --smoke")
    }
    let size: Size = options.contains("--smoke") ? .smoke : .full
    for suite in Suite.all where names.isEmpty || names.contains(suite.name) {
      for benchmark in try suite.benchmarks(size) {
        let measurement = try await Measurement(benchmark, suite: suite.name, rounds: size.rounds)
        let lines = options.contains("--json") ? Report.json(measurement) : [Report.line(measurement)]
        for line in lines { print(line) }
        fflush(nil)
      }
    }
  }
}

struct UsageError: Error, CustomStringConvertible { var description: String }
