import Testing

/// A place that breaks a rule of the house.
struct Finding: Equatable, CustomStringConvertible {
  var path: String
  /// From 1; 0 for the whole file.
  var line = 0
  var message: String

  var description: String { (line == 0 ? path : "\(path):\(line)") + ": \(message)" }
}

/// One failure per finding, so that a run names every place to mend.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings { Issue.record("\(finding)", sourceLocation: sourceLocation) }
}
