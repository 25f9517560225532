import DimpleMutex
import DimpleRemote
import DimpleTestSupport
import Foundation
import Testing

@Suite("A folder as the far side")
struct DirectoryStorageTests {
  private func expect(_ code: RemoteError.Code, _ body: () async throws -> Void) async throws -> RemoteError {
    let error = try #require(await #expect(throws: RemoteError.self) { try await body() })
    #expect(error.code == code, "\(error)")
    return error
  }

  @Test("The folder is made by the first put if its parent is there") func makesItself() async throws {
    let parent = try TemporaryFolder()
    let storage = try DirectoryStorage(parent.path("vault"))
    #expect(try await storage.listAll(prefix: "").isEmpty)
    _ = try await expect(.notFound) { _ = try await storage.get("a", maximumSize: 1) }
    try await storage.delete("a")
    #expect(!FileManager.default.fileExists(atPath: parent.path("vault")), "reading must not make it")
    try await storage.put("log/a", [1])
    #expect(FileManager.default.contents(atPath: parent.path("vault/log/a")) == Data([1]))
  }

  @Test("A lost disk is bucketNotFound, not an empty vault") func lostDisk() async throws {
    let parent = try TemporaryFolder()
    let storage = try DirectoryStorage(parent.path("unplugged/vault"))
    _ = try await expect(.bucketNotFound) { _ = try await storage.list(prefix: "", after: nil) }
    _ = try await expect(.bucketNotFound) { _ = try await storage.get("a", maximumSize: 1) }
    _ = try await expect(.bucketNotFound) { try await storage.delete("a") }
    let error = try await expect(.bucketNotFound) { try await storage.put("a", [1]) }
    #expect(error.hint.contains(parent.path("unplugged/vault")))
  }

  @Test("A file where the folder should be is named as such") func fileInPlace() async throws {
    let parent = try TemporaryFolder()
    try Data([1]).write(to: URL(filePath: parent.path("file")))
    let storage = try DirectoryStorage(parent.path("file"))
    _ = try await expect(.invalidConfiguration) { try await storage.put("a", [1]) }
    _ = try await expect(.invalidConfiguration) { _ = try await storage.list(prefix: "", after: nil) }
    #expect(throws: RemoteError.self) { try DirectoryStorage("") }
  }

  @Test("Only regular files with a key for a path are objects") func foreignFiles() async throws {
    let folder = try TemporaryFolder()
    let storage = try DirectoryStorage(folder.path)
    try await storage.put("real", [1, 2])
    try Data().write(to: URL(filePath: folder.path("editor backup~")))
    try FileManager.default.createDirectory(atPath: folder.path("folder/empty"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: folder.path("real"))
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    #expect(try await storage.listAll(prefix: "") == [ObjectInfo(key: "real", size: 2)])
    for key in ["link", "pipe", "folder"] {
      _ = try await expect(.notFound) { _ = try await storage.get(key, maximumSize: 10) }
    }
  }

  @Test("A key cannot be another key's folder, and says so") func keyAsFolder() async throws {
    let folder = try TemporaryFolder()
    let storage = try DirectoryStorage(folder.path)
    try await storage.put("a/b", [1])
    for condition in [PutCondition.none, .ifAbsent] {
      _ = try await expect(.invalidKey) { try await storage.put("a", [1], condition: condition) }
      _ = try await expect(.invalidKey) { try await storage.put("a/b/c", [1], condition: condition) }
    }
    try await storage.delete("a/b")
    try await storage.put("a", [2])
    #expect(try await storage.get("a", maximumSize: 1) == [2])
  }

  @Test("What crashed writers left is removed when it is old, and kept while it may be in use") func leftovers()
    async throws
  {
    let folder = try TemporaryFolder()
    let incoming = folder.path(".incoming~")
    try FileManager.default.createDirectory(atPath: incoming, withIntermediateDirectories: true)
    for (name, age) in [("old", 100_000.0), ("young", 1000.0)] {
      try Data([1]).write(to: URL(filePath: "\(incoming)/\(name)"))
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: "\(incoming)/\(name)")
    }
    try await DirectoryStorage(folder.path).put("a", [1])
    #expect(try FileManager.default.contentsOfDirectory(atPath: incoming) == ["young"])
  }

  /// Makes the n-th call to the file system fail.
  private final class NthCall: Sendable {
    private let left: Mutex<Int>
    private let number: Int32
    let failed = Mutex<FileStep?>(nil)

    init(_ nth: Int, number: Int32) {
      left = Mutex(nth)
      self.number = number
    }

    func fault(_ step: FileStep) -> Int32? {
      guard
        left.withLock({
          $0 -= 1; return $0 == 0
        })
      else { return nil }
      failed.withLock { $0 = step }
      return number
    }
  }

  @Test(
    "Whichever call fails during a put, a reader sees the old object or the new one",
    arguments: [(ENOSPC, RemoteError.Code.storageFull), (EACCES, .accessDenied), (EIO, .ioFailed)],
    [PutCondition.none, .ifAbsent])
  func everyCallFails(_ failure: (number: Int32, code: RemoteError.Code), condition: PutCondition) async throws {
    var steps: Set<FileStep> = []
    for nth in 1... {
      let folder = try TemporaryFolder()
      if condition == .none { try await DirectoryStorage(folder.path).put("log/a", [1]) }
      let faults = NthCall(nth, number: failure.number)
      let storage = try DirectoryStorage(folder.path) { faults.fault($0) }
      var thrown: RemoteError?
      do {
        try await storage.put("log/a", [2, 2], condition: condition)
      } catch let error as RemoteError {
        thrown = error
      }
      let healthy = try DirectoryStorage(folder.path)
      let seen = try? await healthy.get("log/a", maximumSize: 10)
      let listed = try await healthy.listAll(prefix: "")
      guard let step = faults.failed.withLock({ $0 }) else {
        #expect(thrown == nil && seen == [2, 2])
        break
      }
      steps.insert(step)
      if let thrown {
        #expect(thrown.code == failure.code, "call \(nth), \(step): \(thrown)")
        #expect(seen == (condition == .none ? [1] : nil) || seen == [2, 2], "call \(nth), \(step)")
      } else {
        #expect(seen == [2, 2], "call \(nth), \(step) failed, the put did not")
      }
      #expect(listed.allSatisfy { $0.key == "log/a" }, "call \(nth), \(step) left \(listed)")
      try await healthy.put("log/a", [3])
      #expect(try await healthy.get("log/a", maximumSize: 10) == [3], "the folder works again")
    }
    #expect(steps.isSuperset(of: [.create, .write, .sync, .publish, .syncFolder]), "\(steps)")
  }

  @Test("A full disk leaves no part of the object behind") func fullDisk() async throws {
    let folder = try TemporaryFolder()
    let storage = try DirectoryStorage(folder.path) { $0 == .write ? ENOSPC : nil }
    let error = try await expect(.storageFull) { try await storage.put("log/a", [1]) }
    #expect(error.hint.contains(folder.path) && !error.isRetryable)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(".incoming~")).isEmpty)
  }

  @Test("Two storages put, list and delete in one folder at once") func twoProcesses() async throws {
    let folder = try TemporaryFolder()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          let storage = try DirectoryStorage(folder.path)
          for round in 0..<25 {
            // The folder empties and fills again under the others' hands.
            try await storage.put("shared/deep/\(writer)-\(round)", [UInt8(round)])
            _ = try await storage.listAll(prefix: "shared/")
            try await storage.delete("shared/deep/\(writer)-\(round)")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await DirectoryStorage(folder.path).listAll(prefix: "").isEmpty)
  }

  @Test("A relative path is meant from the working directory of then") func relative() throws {
    let storage = try DirectoryStorage("some/vault/")
    #expect(storage.path == "\(FileManager.default.currentDirectoryPath)/some/vault")
  }
}
