import DimpleRemote
import DimpleS3
import Testing

@Suite("S3 configuration")
struct S3ConfigurationTests {
  private func make(
    endpoint: String = "https://s3.example.com", bucket: String = "music", region: String = "us-east-1",
    accessKey: String = "AK", secretKey: String = "SK", sessionToken: String? = nil, prefix: String = ""
  ) throws -> S3Configuration {
    try S3Configuration(
      endpoint: endpoint, bucket: bucket, region: region, accessKey: accessKey, secretKey: secretKey,
      sessionToken: sessionToken, prefix: prefix)
  }

  @Test(
    "What cannot work is refused with a remedy",
    arguments: [
      "s3.example.com", "ftp://host", "https://", "https://user:hunter2@host", "https://host?x=1", "https://host/a b",
      "https://host:0",
      "https://host:99999", "https://ho$t", "https://:80", "",
    ])
  func badEndpoints(endpoint: String) throws {
    let error = try #require(#expect(throws: RemoteError.self) { try make(endpoint: endpoint) })
    #expect(error.code == .invalidConfiguration)
    #expect(!error.hint.isEmpty)
    #expect(!"\(error)".contains("hunter2"))
  }

  @Test("Buckets, regions, keys and prefixes are checked") func badParts() {
    #expect(throws: RemoteError.self) { try make(bucket: "") }
    #expect(throws: RemoteError.self) { try make(bucket: "a/b") }
    #expect(throws: RemoteError.self) { try make(bucket: "s3://a") }
    #expect(throws: RemoteError.self) { try make(region: "") }
    #expect(throws: RemoteError.self) { try make(region: "eu west") }
    #expect(throws: RemoteError.self) { try make(accessKey: "") }
    #expect(throws: RemoteError.self) { try make(secretKey: "secret\n") }
    for token in ["", "to\r\nX-Injected: 1", "to ken", "tökén"] {
      let error = #expect(throws: RemoteError.self) { try make(sessionToken: token) }
      #expect(error?.message.contains("session token") == true && error?.message.contains("Injected") == false)
    }
    #expect(throws: Never.self) { try make(sessionToken: "FwoGZXIvYXdzE+/==") }
    #expect(throws: RemoteError.self) { try make(prefix: "a b") }
    #expect(throws: RemoteError.self) { try make(prefix: "a//b") }
  }

  @Test(
    "Slashes at a prefix's ends make no difference",
    arguments: [("", ""), ("/", ""), ("a", "a/"), ("a/b", "a/b/"), ("/a/b/", "a/b/")])
  func prefixes(given: String, kept: String) throws {
    #expect(try make(prefix: given).prefix == kept)
  }

  @Test("Secrets are printed nowhere") func secrets() throws {
    let configuration = try S3Configuration(
      endpoint: "https://s3.example.com", bucket: "music", region: "us-east-1", accessKey: "AKIAPUBLICPART",
      secretKey: "very-secret-key", sessionToken: "very-secret-token", prefix: "vault")
    #expect(configuration.description == "s3://music/vault")
    var dumped = ""
    dump(configuration, to: &dumped)
    dump(configuration.credentials, to: &dumped)
    dump(S3Client(configuration), to: &dumped)
    dump(S3Storage(configuration), to: &dumped)
    let shown = [
      dumped, "\(configuration)", String(reflecting: configuration), "\(configuration.credentials)",
      String(reflecting: configuration.credentials), "\(S3Storage(configuration).description)",
      String(reflecting: RequestSigner(credentials: configuration.credentials, region: "r")),
    ]
    for text in shown {
      #expect(!text.contains("very-secret"), "\(text)")
      #expect(!text.contains("AKIAPUBLICPART"), "\(text)")
    }
  }
}
