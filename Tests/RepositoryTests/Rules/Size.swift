/// What fits a reader's head.
enum Size {
  static let maximumFileLines = 400
  static let maximumFunctionLines = 70

  static func checkFile(_ source: SwiftSource) -> [Finding] {
    guard source.lines.count > maximumFileLines else { return [] }
    return [Finding(path: source.path, message: "\(source.lines.count) lines, of at most \(maximumFileLines)")]
  }

  static func checkFunctions(_ source: SwiftSource) -> [Finding] {
    source.functions.filter { $0.lineCount > maximumFunctionLines }.map {
      Finding(
        path: source.path, line: $0.lines.lowerBound,
        message: "\($0.name) has \($0.lineCount) lines, of at most \(maximumFunctionLines)")
    }
  }
}
