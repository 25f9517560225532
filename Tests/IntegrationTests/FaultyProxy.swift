import Foundation
import Synchronization

/// A proxy of the project's own between an S3 server and its clients, which does to requests what networks do: see
/// `scripts/lib/faulty-proxy.py`.
final class FaultyProxy: Sendable {
  private struct State {
    var faults: [String: Int] = [:]
    var requests = 0
    var onRequest: (@Sendable () -> Void)?
  }

  /// For clients, instead of the server's.
  let endpoint: String
  private let process: Process
  private let input: Pipe
  private let state: Box

  private final class Box: Sendable {
    let value = Mutex(State())
  }

  /// - Parameters:
  ///   - server: The endpoint of the real server.
  ///   - oneIn: A request goes wrong once in so many; 0 for never.
  init(before server: String, seed: UInt64, oneIn: Int) async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let (process, input, output) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", root.appending(path: "scripts/lib/faulty-proxy.py").path(), String(server.dropFirst("http://".count)),
      "\(seed)", "\(oneIn)",
    ]
    process.standardInput = input
    process.standardOutput = output
    let state = Box()
    let ports = AsyncStream<Int> { continuation in
      output.forEachLine(
        { line in
          let words = line.split(separator: " ")
          if words.count == 2, let port = Int(words[1]) { continuation.yield(port) }
          if words.count == 4 { Self.note(String(words[3]), state) }
        }, atEnd: { continuation.finish() })
    }
    try process.run()
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else {
      throw Environment.Missing(description: "The proxy did not start.")
    }
    endpoint = "http://127.0.0.1:\(port)"
    self.process = process
    self.input = input
    self.state = state
  }

  private static func note(_ fault: String, _ state: Box) {
    let action = state.value.withLock { state in
      state.requests += 1
      if fault != "-" { state.faults[fault, default: 0] += 1 }
      return state.onRequest
    }
    action?()
  }

  /// What was done to requests so far, and how often.
  var faults: [String: Int] { state.value.withLock { $0.faults } }

  /// Called with each request that reaches the proxy, before the server has it.
  func onRequest(_ action: (@Sendable () -> Void)?) { state.value.withLock { $0.onRequest = action } }

  /// Ends it.
  func stop() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
