import DimpleRemote
import Foundation

extension Suite {
  /// The folder as a far side, against writing the same files durably by hand.
  static var remote: Suite {
    Suite(name: "remote") { size in
      let benchmarks = try RemoteBenchmarks(size: size)
      return [benchmarks.put, benchmarks.get, benchmarks.list]
    }
  }
}

private struct RemoteBenchmarks {
  private let storage: DirectoryStorage
  private let folder: URL
  private let object = [UInt8](repeating: 7, count: 4096)
  private let count: Int

  init(size: Size) throws {
    count = size(200)
    storage = try DirectoryStorage(TemporaryFolder.newPath("storage"))
    folder = URL(filePath: TemporaryFolder.newPath("files"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  var put: Benchmark {
    Benchmark(
      name: "put 4 KiB into a folder", unit: "object", count: count,
      contenders: [
        Contender(name: Contender.ours) {
          for index in 0..<count { try await storage.put("log/\(index)", object) }
          return count
        },
        Contender(name: "files") {
          for index in 0..<count { try write(object, "\(index)") }
          return count
        },
      ])
  }

  var get: Benchmark {
    Benchmark(
      name: "get 4 KiB from a folder", unit: "object", count: count, setUp: fill,
      contenders: [
        Contender(name: Contender.ours) {
          var bytes = 0
          for index in 0..<count { bytes += try await storage.get("log/\(index)", maximumSize: 1 << 20).count }
          return bytes
        },
        Contender(name: "files") {
          try (0..<count).reduce(0) { try $0 + Data(contentsOf: folder.appending(path: "\($1)")).count }
        },
      ])
  }

  var list: Benchmark {
    Benchmark(
      name: "list \(count) objects of a folder", unit: "object", count: count, setUp: fill,
      contenders: [
        Contender(name: Contender.ours) { try await storage.listAll(prefix: "log/").count },
        Contender(name: "files") {
          try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.fileSizeKey]).count
        },
      ])
  }

  private func fill() async throws {
    for index in 0..<count {
      try await storage.put("log/\(index)", object)
      try write(object, "\(index)")
    }
  }

  /// A temporary name, to the disk, then the right name: as careful as the storage.
  private func write(_ bytes: [UInt8], _ name: String) throws {
    let final = folder.appending(path: name).path(percentEncoded: false)
    guard FileManager.default.createFile(atPath: final + ".tmp", contents: nil),
      let handle = FileHandle(forWritingAtPath: final + ".tmp")
    else { throw CocoaError(.fileWriteUnknown) }
    try handle.write(contentsOf: Data(bytes))
    try handle.synchronize()
    try handle.close()
    guard rename(final + ".tmp", final) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }
}
