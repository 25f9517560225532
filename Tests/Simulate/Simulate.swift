import Foundation
import Simulator

/// Runs the simulator for as long as wanted: `scripts/simulate` builds it optimised and starts one per core.
@main
struct Simulate {
  static let help = """
    simulate [--seed N] [--runs K] [--minutes M] [--stride S] [--shrink SECONDS] [--failures F] [--current FILE]
             [--record FILE] [--verbose]
      --stride    every so manieth seed, for several programs at once
      --shrink    how long to look for a smaller script after a failure
      --failures  how many to report before stopping
      --current   a file that always names the seed at work, should the program crash
      --record    a file for the total, to be added to others
      --verbose   print each script first
    """

  private var options: [String: String] = [:]
  private var isVerbose = false

  private func number(_ name: String) -> Double? { options[name].flatMap { Double($0) } }

  /// - Throws: The help, for what is no option.
  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--verbose" {
        isVerbose = true
      } else if argument.hasPrefix("--"), let value = rest.popFirst() {
        options[String(argument.dropFirst(2))] = value
      } else {
        throw SimulationFailure(Self.help)
      }
    }
  }

  static func main() async {
    do { exit(try await Simulate(Array(CommandLine.arguments.dropFirst())).run() == 0 ? 0 : 1) } catch {
      say("\(error)")
      exit(2)
    }
  }

  /// At once, also into a file.
  private static func say(_ text: some CustomStringConvertible) {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
  }

  /// The number of failures.
  private func run() async throws -> Int {
    var runner = Runner()
    runner.shrinkLimit = .seconds(number("shrink") ?? 60)
    let start = ContinuousClock.now
    let limit: Duration = .seconds((number("minutes") ?? 1e6) * 60)
    let runs = UInt64(number("runs") ?? 1e12)
    let first = options["seed"].flatMap { UInt64($0) } ?? 1
    var total = Tally()
    var failures = 0
    var done: UInt64 = 0
    while done < runs, ContinuousClock.now - start < limit, failures < Int(number("failures") ?? 1) {
      let seed = first + done * UInt64(number("stride") ?? 1)
      done += 1
      if let current = options["current"] { try "\(seed)\n".write(toFile: current, atomically: false, encoding: .utf8) }
      if isVerbose {
        var generator = ScriptGenerator(seed: seed)
        Self.say(generator.make())
      }
      do { total.add(try await runner.run(seed: seed)) } catch {
        Self.say("\(error)")
        failures += 1
      }
    }
    try report(total, done, (ContinuousClock.now - start) / .seconds(1), failures)
    return failures
  }

  private func report(_ total: Tally, _ runs: UInt64, _ seconds: Double, _ failures: Int) throws {
    if let record = options["record"] {
      try total.record(seconds: seconds).write(toFile: record, atomically: false, encoding: .utf8)
    } else {
      let each = Int(1000 * seconds / Double(max(1, runs)))
      Self.say("\(total)\n\(Int(seconds)) s, \(each) ms a run, \(failures) failures.")
    }
  }
}
