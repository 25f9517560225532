import Foundation
import Testing

/// The program that links DimpleStore alone, built beside the tests.
enum StoreClient {
  static var url: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("StoreClient")
  }
}

@Suite struct StoreClientTests {
  @Test func aProgramThatLinksTheStoreAloneRuns() throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = StoreClient.url
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd().map { String(decoding: $0, as: UTF8.self) }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(text == "ok\n")
  }
}
