import Dispatch
import Foundation

/// `benchmarks [suite…] [--only TEXT] [--json] [--smoke] [--counted SIDE]`
@main
struct Benchmarks {
  /// Not `async`: that would end the main thread while others work, which valgrind does not survive.
  static func main() {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await runOrExit()
      done.signal()
    }
    done.wait()
  }

  private static func runOrExit() async {
    defer { TemporaryFolder.remove() }
    do {
      try await run(Options(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
      TemporaryFolder.remove()
      exit(1)
    }
  }

  private static func run(_ options: Options) async throws {
    let size = options.size
    for suite in Suite.all where options.includes(suite: suite) {
      for benchmark in try suite.benchmarks(size) where options.includes(name: benchmark.name) {
        if let side = options.countedSide {
          try await Counting.run(benchmark, suite: suite.name, side: side)
        } else {
          show(try await Measurement(benchmark, suite: suite.name, rounds: size.rounds), options)
        }
      }
      // How threads take turns is never the same twice: nothing to count.
      guard options.countedSide == nil else { continue }
      for load in try suite.loads(size) where options.includes(name: load.name) {
        for measurement in try await load.measure(suite: suite.name, rounds: size.rounds) { show(measurement, options) }
      }
      guard options.isWhole else { continue }
      for figure in try await suite.figures(size) {
        for line in figure.lines(isJSON: options.isJSON) { print(line) }
        fflush(nil)
      }
    }
  }

  private static func show(_ measurement: Measurement, _ options: Options) {
    let lines = options.isJSON ? Report.json(measurement) : [Report.line(measurement)]
    for line in lines { print(line) }
    fflush(nil)
  }
}

/// What to run and how to show it.
struct Options {
  private var suites: [String] = []
  private var only = ""
  private(set) var isJSON = false
  private var isSmoke = false
  /// The contender that runs once, for a profiler to count its instructions.
  private(set) var countedSide: String?

  init(_ arguments: some Sequence<String>) throws {
    var arguments = arguments.makeIterator()
    let known = Suite.all.map(\.name)
    while let argument = arguments.next() {
      switch argument {
      case "--json": isJSON = true
      case "--smoke": isSmoke = true
      case "--only": only = arguments.next() ?? ""
      case "--counted": countedSide = arguments.next()
      case _ where known.contains(argument): suites.append(argument)
      default:
        throw UsageError(
          description:
            "no suite or option \(argument); there are \(known.joined(separator: ", ")), --only, --json, --smoke")
      }
    }
  }

  var size: Size { isSmoke ? .smoke : countedSide != nil ? .counted : .full }

  func includes(suite: Suite) -> Bool { suites.isEmpty || suites.contains(suite.name) }
  /// Not only some benchmarks of a suite.
  var isWhole: Bool { only.isEmpty }
  func includes(name: String) -> Bool { only.isEmpty || name.contains(only) }
}

struct UsageError: Error, CustomStringConvertible { var description: String }
