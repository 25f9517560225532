import Foundation

/// The stock age program, if there is one.
struct AgeProgram {
  private let program: URL
  private let recipient: String
  private let keyFile: String
  private let input = TemporaryFolder.newPath("age-input")

  /// `nil` where it is not installed.
  init?(identity: String, recipient: String) throws {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.map { "\($0)/age" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { return nil }
    program = URL(filePath: found)
    self.recipient = recipient
    keyFile = TemporaryFolder.newPath("age-key")
    try Data(identity.utf8).write(to: URL(filePath: keyFile))
  }

  func writeInput(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: input)) }

  func encrypt() throws { try run(["-r", recipient]) }

  func decrypt() throws { try run(["-d", "-i", keyFile]) }

  private func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments + ["-o", "/dev/null", input]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw UsageError(description: "age failed") }
  }
}
