import DimpleRemote
import DimpleS3
import Foundation
import Testing

/// The real S3 server that `scripts/s3-server` starts and the environment names.
enum S3TestServer {
  private static let environment = ProcessInfo.processInfo.environment

  /// Whether the tests that need it must run: it is there, or `scripts/test` promised it.
  static let isExpected = environment["DIMPLE_TEST_S3_ENDPOINT"] != nil || environment["DIMPLE_TEST_S3"] == "1"
  static let missing: Comment =
    "no S3 server: DIMPLE_TEST_S3_ENDPOINT is not set (scripts/test and scripts/s3-server set it)"

  private static func value(_ name: String) throws -> String {
    try #require(environment["DIMPLE_TEST_S3_\(name)"], "DIMPLE_TEST_S3_\(name) was promised, and is not set")
  }

  static func configuration(
    endpoint: String? = nil, bucket: String, region: String? = nil, accessKey: String? = nil, secretKey: String? = nil,
    prefix: String = ""
  ) throws -> S3Configuration {
    try S3Configuration(
      endpoint: endpoint ?? value("ENDPOINT"), bucket: bucket, region: region ?? value("REGION"),
      accessKey: accessKey ?? value("KEY"), secretKey: secretKey ?? value("SECRET"), prefix: prefix)
  }

  /// A new bucket's name; the server's data go with its folder.
  static func newBucketName() -> String { "test-\(String(UInt64.random(in: .min ... .max), radix: 36))" }

  /// A client of a new bucket.
  static func client(prefix: String = "") async throws -> S3Client {
    let client = S3Client(try configuration(bucket: newBucketName(), prefix: prefix))
    try await client.createBucket()
    return client
  }
}
