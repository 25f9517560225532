/// Runs seeds.
package struct Runner: Sendable {
  /// A seed that ended otherwise than it must, with the smallest script that still does.
  package struct Finding: Error, CustomStringConvertible {
    package var seed: UInt64
    package var failure: String
    package var script: Script?

    package var description: String {
      "seed \(seed): \(failure)" + (script.map { "\nThe smallest script found that fails in this way:\n\($0)" } ?? "")
    }
  }

  /// How long to look for a smaller script after a failure.
  package var shrinkLimit: Duration = .seconds(60)

  package init() {}

  /// - Throws: ``Finding``.
  package func run(seed: UInt64) async throws -> Tally {
    var generator = ScriptGenerator(seed: seed)
    let script = generator.make()
    do { return try await Simulation(script).run() } catch let failure as SimulationFailure {
      throw await finding(script, kind: failure.kind, failure.description)
    } catch { throw await finding(script, kind: "threw", "\(error)") }
  }

  private func finding(_ script: Script, kind: String, _ failure: String) async -> Finding {
    guard shrinkLimit > .zero else { return Finding(seed: script.seed, failure: failure) }
    var shrinker = Shrinker(kind, limit: shrinkLimit)
    let smallest = await shrinker.shrink(script)
    var last = failure
    do { _ = try await Simulation(smallest).run() } catch { last = "\(error)" }
    return Finding(seed: script.seed, failure: failure == last ? failure : "\(failure)\n\(last)", script: smallest)
  }
}
