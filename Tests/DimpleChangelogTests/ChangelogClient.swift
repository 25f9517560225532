import Foundation

/// The program that links DimpleChangelog alone, built beside the tests, as the other process: see its `Modes`.
struct ChangelogClient {
  private let process = Process()
  private let output = Pipe()

  init(_ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("ChangelogClient")
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
  }

  /// Waits for its end.
  ///
  /// - Parameter killAfterLines: Kills it, somewhere, when it has said so many lines.
  func finish(killAfterLines: Int? = nil) -> (status: Int32, wasKilled: Bool, lines: [String]) {
    var heard: [UInt8] = []
    while true {
      if let killAfterLines, heard.count(where: { $0 == UInt8(ascii: "\n") }) >= killAfterLines {
        kill(process.processIdentifier, SIGKILL)
      }
      let data = output.fileHandleForReading.availableData
      if data.isEmpty { break }
      heard += data
    }
    process.waitUntilExit()
    let lines = String(decoding: heard, as: UTF8.self).split(separator: "\n").map(String.init)
    let isKilled = process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL
    return (process.terminationStatus, isKilled, lines)
  }
}
