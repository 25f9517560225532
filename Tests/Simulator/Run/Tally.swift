/// What happened in a run, or in many.
package struct Tally: Sendable, Equatable {
  package var runs = 0
  package var steps = 0
  package var statements = 0
  package var transactions = 0
  package var refused = 0
  /// Statements that no app of that version could have run: a fault of the simulator.
  package var misfits = 0
  package var syncs = 0
  package var failedSyncs = 0
  package var requests = 0
  /// Of a sync in which only one request goes wrong: how many could have.
  package var candidates = 0
  package var held = 0
  package var rows = 0
  /// What was done to storage, devices and clocks, by name.
  package var troubles: [String: Int] = [:]
  /// Of one run: what all devices show at the end.
  package var fingerprint = ""

  package init() {}

  package mutating func add(_ other: Tally) {
    runs += other.runs
    steps += other.steps
    statements += other.statements
    transactions += other.transactions
    refused += other.refused
    misfits += other.misfits
    syncs += other.syncs
    failedSyncs += other.failedSyncs
    requests += other.requests
    candidates += other.candidates
    held += other.held
    rows += other.rows
    troubles.merge(other.troubles, uniquingKeysWith: +)
  }

  mutating func count(_ trouble: String, _ times: Int = 1) {
    if times > 0 { troubles[trouble, default: 0] += times }
  }
}

extension Tally: CustomStringConvertible {
  package var description: String {
    let list = troubles.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
    return """
      \(runs) runs, \(steps) steps: \(transactions) transactions of \(statements) statements (\(refused) refused), \
      \(syncs) syncs (\(failedSyncs) failed) in \(requests) requests; \(rows) rows and \(held) held ones at the end. \
      Troubles: \(list.isEmpty ? "none" : list).
      """ + (misfits > 0 ? " \(misfits) statements did not fit their schema." : "")
  }
}

/// A run that ended otherwise than it must.
package struct SimulationFailure: Error, CustomStringConvertible {
  /// What kind of failure; shrinking keeps it.
  package var kind: String
  package var details: String

  package init(_ kind: String, _ details: String = "") {
    self.kind = kind
    self.details = details
  }

  package var description: String { details.isEmpty ? kind : "\(kind): \(details)" }
}

extension Tally {
  /// One line of JSON, for adding up the totals of several programs.
  package func record(seconds: Double) -> String {
    let counts: [(String, Int)] =
      [
        ("runs", runs), ("steps", steps), ("transactions", transactions), ("statements", statements),
        ("refused", refused), ("misfits", misfits), ("syncs", syncs), ("failedSyncs", failedSyncs),
        ("requests", requests), ("rows", rows), ("held", held),
      ] + troubles.sorted { $0.key < $1.key }.map { ("\($0.key)", $0.value) }
    return "{\"seconds\":\(seconds)," + counts.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }
}
