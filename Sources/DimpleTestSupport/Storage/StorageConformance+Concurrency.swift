internal import DimpleRemote

extension StorageConformance {
  /// What holds while much happens at once.
  var concurrencyChecks: [(rule: String, body: Check)] {
    [
      ("operations on different keys do not disturb each other", { try await $0.independence() }),
      ("a reader sees the old object or the new one, never a part", { try await $0.atomicity() }),
      ("a cancelled task's operation throws CancellationError", { try await $0.cancellation() }),
    ]
  }

  private func independence() async throws {
    try await forEachAtOnce(Array(0..<options.concurrency * 4)) { index in
      // Every other key shares a folder that empties and fills again meanwhile.
      let key = key(index % 2 == 0 ? "busy/shared/\(index)" : "busy/own-\(index)/x")
      let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 1000 + index)
      try await storage.put(key, bytes)
      let stored = try await storage.get(key, maximumSize: 10_000)
      try expect(stored == bytes, "\(key) came back with other bytes")
      _ = try await storage.list(prefix: self.key("busy/"), after: nil)
      try await storage.delete(key)
    }
    let names = try await names(prefix: "busy/")
    try expect(names.isEmpty, "\(names) are left after all were deleted")
  }

  private func atomicity() async throws {
    let short = [UInt8](repeating: 0x11, count: 150_000)
    let long = [UInt8](repeating: 0x22, count: 300_000)
    let key = key("atomic")
    try await storage.put(key, short)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round in 0..<options.rounds { try await storage.put(key, round % 2 == 0 ? long : short) }
      }
      for _ in 1...2 {
        group.addTask {
          for _ in 0..<options.rounds {
            let seen = try await storage.get(key, maximumSize: 1_000_000)
            try expect(seen == short || seen == long, "a reader saw \(seen.count) bytes that nobody put")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private func cancellation() async throws {
    try await storage.put(key("cancel"), [1])
    let operations: [(String, @Sendable () async throws -> Void)] = [
      ("list", { _ = try await storage.list(prefix: folder, after: nil) }),
      ("get", { _ = try await storage.get(key("cancel"), maximumSize: 1) }),
      ("put", { try await storage.put(key("cancel"), [2]) }), ("delete", { try await storage.delete(key("cancel")) }),
    ]
    for (name, operation) in operations {
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await operation()
      }
      let result = await task.result
      switch result {
      case .failure(let error): try expect(error is CancellationError, "\(name) threw \(error)")
      case .success: throw Broken(detail: "\(name) succeeded")
      }
    }
  }
}
