import Foundation

/// The `dimple` program as it was built beside these tests.
enum Tool {
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// No call takes longer, unless it hangs.
  private static let limit = DispatchTimeInterval.seconds(120)

  /// Runs it to its end, or kills it when it hangs: then ``Result/status`` is the signal's number.
  static func run(
    _ arguments: String..., environment: [String: String] = [:], input: Data = Data()
  ) throws -> Result {
    try run(arguments, environment: environment, input: input)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:], input: Data = Data()) throws -> Result {
    let process = Process()
    let (output, errors, standardInput) = (Pipe(), Pipe(), Pipe())
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = standardInput
    try process.run()
    let id = process.processIdentifier
    let killer = DispatchWorkItem { kill(id, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: killer)
    defer { killer.cancel() }
    standardInput.fileHandleForWriting.write(input)
    try standardInput.fileHandleForWriting.close()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: complaint, as: UTF8.self))
  }

  /// Starts it with its output thrown away, to be waited for or killed.
  static func launch(_ arguments: [String], environment: [String: String] = [:]) throws -> Process {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Starts it; its output arrives line by line.
  static func start(_ arguments: [String]) throws -> (process: Process, lines: AsyncStream<String>) {
    let process = Process()
    let output = Pipe()
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    let lines = AsyncStream<String> { continuation in
      output.forEachLine({ continuation.yield($0) }, atEnd: { continuation.finish() })
    }
    try process.run()
    return (process, lines)
  }

  private static var executable: URL {
    // The test bundle and the tool are products of one build, in one folder.
    let bundle = URL(filePath: CommandLine.arguments[0])
    let folder = bundle.lastPathComponent.hasSuffix(".xctest") ? bundle.deletingLastPathComponent() : buildFolder
    return folder.appending(path: "dimple")
  }

  private static var buildFolder: URL {
    Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
      ?? Bundle.main.bundleURL
  }
}
