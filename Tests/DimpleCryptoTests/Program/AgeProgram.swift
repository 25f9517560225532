import Foundation
import Testing

/// The real `age` and `age-keygen`, run on files in a folder of their own.
struct AgeProgram {
  /// DIMPLE_TEST_AGE=1 promises that the programs are installed; without it their tests are skipped where they are not.
  static let isPromised = ProcessInfo.processInfo.environment["DIMPLE_TEST_AGE"] == "1"
  static let isInstalled = find("age") != nil && find("age-keygen") != nil

  private static let answering = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../scripts/lib/answer.py").standardizedFileURL

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("age-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: folder.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appendingPathComponent(name))) }

  /// Runs a program in the folder; returns what it wrote to standard output.
  @discardableResult func run(_ name: String, _ arguments: [String]) throws -> String {
    let program = try #require(Self.find(name), "\(name) is not installed, though DIMPLE_TEST_AGE=1 says so")
    return try launch(program, arguments)
  }

  /// Runs `age` on a terminal of its own, since that is where it asks for a passphrase, and answers each question with it.
  func run(answering passphrase: String, _ arguments: [String]) throws {
    let age = try #require(Self.find("age"), "age is not installed, though DIMPLE_TEST_AGE=1 says so")
    let python = try #require(Self.find("python3"), "python3 is needed to give age a terminal")
    _ = try launch(python, [Self.answering.path, passphrase, age.path] + arguments)
  }

  private func launch(_ program: URL, _ arguments: [String]) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program.lastPathComponent) \(arguments) failed")
    return String(decoding: text, as: UTF8.self)
  }

  private static func find(_ name: String) -> URL? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/\(name)") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}
