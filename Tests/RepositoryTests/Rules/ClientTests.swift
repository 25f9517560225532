import Foundation
import Testing

@Suite("Clients of single products") struct ClientTests {
  @Test("The needed libraries are read from a dynamic section") func readsNeeded() {
    let section = """
       0x0000000000000001 (NEEDED)             Shared library: [libsqlite3.so.0]
       0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
       0x0000000000000001 (NEEDED)             Shared library: [libcrypto.so.3]
       0x000000000000000e (SONAME)             Library soname: [libcurl.so.4]
      """
    #expect(Client.libraries(inDynamicSection: section) == ["libsqlite3", "libcrypto"])
  }

  @Test("Each runs, and says so", arguments: Client.all) func runs(_ client: Client) throws {
    let result = try run(binary(of: client), [])
    #expect(result.status == 0)
    #expect(result.output.trimmed == "ok")
  }

  #if os(Linux)
    @Test("Each needs the C libraries of its product and no other", arguments: Client.all)
    func linksOnlyItsOwn(_ client: Client) throws {
      let readelf = try #require(
        ["/usr/bin/readelf", "/usr/local/bin/readelf"].first { FileManager.default.isExecutableFile(atPath: $0) },
        "readelf, of binutils, is missing")
      let result = try run(readelf, ["-d", "-W", binary(of: client)])
      #expect(Client.libraries(inDynamicSection: result.output) == client.libraries)
    }
  #endif

  /// In the folder where the tests themselves were built: `swift test` builds every target of the package.
  private func binary(of client: Client) throws -> String {
    let tests = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folder = tests.deletingLastPathComponent()
    while folder.path.contains(".xctest") { folder.deleteLastPathComponent() }
    let path = folder.appending(path: client.name).path(percentEncoded: false)
    return try #require(
      FileManager.default.isExecutableFile(atPath: path) ? path : nil, "\(path) was not built")
  }

  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    // The same answer in every language.
    process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
