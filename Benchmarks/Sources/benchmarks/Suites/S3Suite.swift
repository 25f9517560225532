import CurlPeer
import DimpleRemote
import DimpleS3
import Foundation

extension Suite {
  /// A bucket of the server that `scripts/bench` starts, against libcurl with URLs that are signed beforehand; and whole syncs
  /// through it, against a bare copy of the same bytes.
  static var s3: Suite {
    Suite(name: "s3") { size in
      let benchmarks = try S3Benchmarks(size: size)
      return try [4096, 4 << 20].flatMap { [try benchmarks.put($0), try benchmarks.get($0)] } + benchmarks.syncs
    }
  }
}

private struct S3Benchmarks {
  private let client: S3Client
  private let storage: S3Storage
  private let curl: CurlHandle
  private let size: Size
  /// Many rows through the bucket.
  let syncs: [Benchmark]

  init(size: Size) throws {
    self.size = size
    func setting(_ name: String) throws -> String {
      guard let value = ProcessInfo.processInfo.environment["DIMPLE_TEST_S3_\(name)"] else {
        throw UsageError(description: "the s3 suite needs a server: run scripts/bench, which starts one")
      }
      return value
    }
    let (endpoint, bucket) = (try setting("ENDPOINT"), "bench-\(UUID().uuidString.lowercased())")
    let (region, key, secret) = (try setting("REGION"), try setting("KEY"), try setting("SECRET"))
    func configuration(_ prefix: String) throws -> S3Configuration {
      try S3Configuration(
        endpoint: endpoint, bucket: bucket, region: region, accessKey: key, secretKey: secret, prefix: prefix)
    }
    client = S3Client(try configuration(""))
    storage = S3Storage(client)
    guard let curl = CurlHandle() else { throw UsageError(description: "libcurl has no handle") }
    self.curl = curl
    let sync = S3SyncBenchmarks(configuration, curl, size: size)
    syncs = [sync.push, sync.pull]
  }

  func put(_ bytes: Int) throws -> Benchmark {
    let (object, count) = (object(bytes), count(bytes))
    let urls = try (0..<count).map { try client.presignedURL(putting: "theirs/\($0)", expiresIn: .seconds(3600)) }
    return Benchmark(
      name: "put \(label(bytes))", unit: "object", count: count, setUp: makeBucket,
      contenders: [
        Contender(name: Contender.ours) {
          for index in 0..<count { try await storage.put("ours/\(index)", object) }
          return count
        },
        Contender(name: "libcurl") {
          for url in urls { try curl.put(url, object) }
          return count
        },
      ])
  }

  func get(_ bytes: Int) throws -> Benchmark {
    let (object, count) = (object(bytes), count(bytes))
    let urls = try (0..<count).map { try client.presignedURL(getting: "ours/\($0)", expiresIn: .seconds(3600)) }
    return Benchmark(
      name: "get \(label(bytes))", unit: "object", count: count,
      setUp: {
        try await makeBucket()
        for index in 0..<count { try await storage.put("ours/\(index)", object) }
      },
      contenders: [
        Contender(name: Contender.ours) {
          var total = 0
          for index in 0..<count { total += try await storage.get("ours/\(index)", maximumSize: 16 << 20).count }
          return total
        },
        Contender(name: "libcurl") {
          try urls.reduce(0) { try $0 + curl.get($1).count }
        },
      ])
  }

  private func makeBucket() async throws { try await client.createBucket() }

  private func object(_ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

  /// The server is slow; a few tell enough.
  private func count(_ bytes: Int) -> Int { min(size(20), bytes > 1 << 20 ? 4 : 20) }

  private func label(_ bytes: Int) -> String { bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB" }
}
