import DimpleDb
import Foundation

/// What `scripts/test` provides.
enum Environment {
  private static func value(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// An S3 server was promised, so that its absence is a failure; or it is there.
  static let expectsS3 = value("DIMPLE_TEST_S3") == "1" || value("DIMPLE_TEST_S3_ENDPOINT") != nil
  /// The age program was promised.
  static let expectsAge = value("DIMPLE_TEST_AGE") == "1"

  struct Missing: Error, CustomStringConvertible {
    var description: String
  }

  struct Server {
    var endpoint: String
    var accessKey: String
    var secretKey: String
    var region: String
  }

  /// - Throws: where the promised server is not there.
  static func server() throws -> Server {
    guard let endpoint = value("DIMPLE_TEST_S3_ENDPOINT"), let accessKey = value("DIMPLE_TEST_S3_KEY"),
      let secretKey = value("DIMPLE_TEST_S3_SECRET"), let region = value("DIMPLE_TEST_S3_REGION")
    else { throw Missing(description: "scripts/test promised an S3 server, but DIMPLE_TEST_S3_* do not name one.") }
    return Server(endpoint: endpoint, accessKey: accessKey, secretKey: secretKey, region: region)
  }

  /// A bucket of its own for one test.
  static func makeBucket() async throws -> (server: Server, bucket: String) {
    let server = try server()
    let bucket = "test-\(UUID().uuidString.lowercased())"
    let configuration = try S3Configuration(
      endpoint: server.endpoint, bucket: bucket, region: server.region, accessKey: server.accessKey,
      secretKey: server.secretKey)
    try await S3Client(configuration).createBucket()
    return (server, bucket)
  }

  static func s3Remote() async throws -> Remote {
    let (server, bucket) = try await makeBucket()
    return .s3(
      endpoint: server.endpoint, bucket: bucket, prefix: "vault", region: server.region, accessKey: server.accessKey,
      secretKey: server.secretKey)
  }
}

/// A folder that is gone after the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appending(path: "dimple-test-\(UUID().uuidString)").path()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}
