internal import DimpleRemote

extension StorageConformance {
  /// What holds for one object at a time.
  var objectChecks: [(rule: String, body: Check)] {
    [
      ("get gives the bytes that were put", { try await $0.roundTrip() }),
      ("an object may be empty", { try await $0.emptyObject() }),
      ("a put replaces the object whole", { try await $0.overwrite() }),
      ("a put of the same bytes changes nothing", { try await $0.idempotence() }),
      ("get of what is not there is notFound", { try await $0.missing() }),
      ("delete removes, and may be repeated", { try await $0.removal() }),
      ("keys that break the rules are invalidKey", { try await $0.invalidKeys() }),
      ("keys up to the limits are taken", { try await $0.longKeys() }),
      ("ifAbsent never replaces what it refuses to", { try await $0.ifAbsent() }),
      ("get takes no more than maximumSize", { try await $0.maximumSize() }),
    ]
  }

  private func roundTrip() async throws {
    for size in [1, 255, 4096, 65_537] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
      try await storage.put(key("round/\(size)"), bytes)
      let stored = try await storage.get(key("round/\(size)"), maximumSize: size)
      try expect(stored == bytes, "\(size) bytes came back as \(stored.count) bytes, or altered")
    }
  }

  private func emptyObject() async throws {
    try await storage.put(key("empty"), [])
    let stored = try await storage.get(key("empty"), maximumSize: 0)
    try expect(stored.isEmpty, "it came back with \(stored.count) bytes")
    let listed = try await storage.listAll(prefix: key("empty"))
    try expect(listed == [ObjectInfo(key: key("empty"), size: 0)], "it is listed as \(listed)")
  }

  private func overwrite() async throws {
    try await storage.put(key("over"), [UInt8](repeating: 1, count: 3000))
    try await storage.put(key("over"), [2, 3])
    let stored = try await storage.get(key("over"), maximumSize: 10_000)
    try expect(stored == [2, 3], "2 bytes over 3,000 came back as \(stored.count) bytes")
    let listed = try await storage.listAll(prefix: key("over"))
    try expect(listed == [ObjectInfo(key: key("over"), size: 2)], "it is listed as \(listed)")
  }

  private func idempotence() async throws {
    for _ in 1...3 { try await storage.put(key("same"), [7, 8, 9]) }
    let stored = try await storage.get(key("same"), maximumSize: 3)
    let names = try await names(prefix: "same")
    try expect(stored == [7, 8, 9] && names == ["same"], "it holds \(stored) and is listed as \(names)")
  }

  private func missing() async throws {
    try await expect(.notFound, "get") { _ = try await storage.get(key("missing"), maximumSize: 10) }
    try await storage.put(key("missing-not"), [1])
    try await expect(.notFound, "get of another key's beginning") {
      _ = try await storage.get(key("missing"), maximumSize: 10)
    }
    try await storage.put(key("parent/child"), [1])
    try await expect(.notFound, "get of a folder") { _ = try await storage.get(key("parent"), maximumSize: 10) }
  }

  private func removal() async throws {
    try await storage.put(key("gone"), [1])
    for _ in 1...2 { try await storage.delete(key("gone")) }
    try await expect(.notFound, "get after delete") { _ = try await storage.get(key("gone"), maximumSize: 10) }
    let names = try await names(prefix: "gone")
    try expect(names.isEmpty, "it is still listed as \(names)")
    try await storage.delete(key("never/was/there"))
    try await storage.put(key("tree/a/b"), [1])
    try await storage.delete(key("tree/a"))
    let kept = try await storage.get(key("tree/a/b"), maximumSize: 1)
    try expect(kept == [1], "delete of a folder removed what is in it")
  }

  private func invalidKeys() async throws {
    let long = String(repeating: "x", count: KeyRules.maximumSegmentLength + 1)
    let tooLong = Array(repeating: "abcdefgh", count: KeyRules.maximumLength / 8).joined(separator: "/")
    for bad in [
      "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "a b", "a\\b", "ä", "a\u{0}b", "a?b", "a%2Fb",
      long,
      tooLong,
    ] {
      try await expect(.invalidKey, "put \(bad.debugDescription)") { try await storage.put(bad, [1]) }
      try await expect(.invalidKey, "get \(bad.debugDescription)") { _ = try await storage.get(bad, maximumSize: 1) }
      try await expect(.invalidKey, "delete \(bad.debugDescription)") { try await storage.delete(bad) }
    }
  }

  private func longKeys() async throws {
    let segment = String(repeating: "s", count: KeyRules.maximumSegmentLength)
    let start = key("long/")
    let deep =
      start
      + String(
        (0..<KeyRules.maximumLength).map { $0 % 2 == 0 ? "d" : "/" }.joined().prefix(
          KeyRules.maximumLength - start.count - 1)) + "d"
    for key in [key("long/\(segment)"), deep, key("long/A-Z_a.z-0.9")] where KeyRules.isValid(key) {
      try await storage.put(key, [5])
      let stored = try await storage.get(key, maximumSize: 1)
      try expect(stored == [5], "the key \(key) came back with other bytes")
    }
    let count = try await names(prefix: "long/").count
    try expect(count == 3, "\(count) of 3 long keys are listed")
  }

  private func ifAbsent() async throws {
    try await storage.put(key("absent"), [1], condition: .ifAbsent)
    var refused = false
    do {
      try await storage.put(key("absent"), [2, 2], condition: .ifAbsent)
    } catch let error as RemoteError where error.code == .preconditionFailed {
      refused = true
    }
    let stored = try await storage.get(key("absent"), maximumSize: 2)
    try expect(
      stored == (refused ? [1] : [2, 2]), "a put that \(refused ? "was refused" : "succeeded") left \(stored)")
    try expect(refused || !options.mustHonourIfAbsent, "the condition was not honoured")
  }

  private func maximumSize() async throws {
    try await storage.put(key("sized"), [UInt8](repeating: 9, count: 5000))
    let whole = try await storage.get(key("sized"), maximumSize: 5000)
    try expect(whole.count == 5000, "an object of exactly the size came back with \(whole.count) bytes")
    for limit in [0, 1, 4999] {
      try await expect(.tooLarge, "get of 5,000 bytes with a limit of \(limit)") {
        _ = try await storage.get(key("sized"), maximumSize: limit)
      }
    }
  }
}
