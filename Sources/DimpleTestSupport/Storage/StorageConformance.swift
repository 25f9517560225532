public import DimpleRemote

/// Checks that a storage keeps the contract of `ObjectStorage`: run it on a backend of your own.
///
/// ```swift
/// @Test func conforms() async throws { try await StorageConformance.check(MyStorage()) }
/// ```
public struct StorageConformance: Sendable {
  /// One promise of the contract that was not kept.
  public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// The promise.
    public let rule: String
    /// What was seen instead.
    public let detail: String

    /// `rule: detail`
    public var description: String { "\(rule): \(detail)" }
  }

  /// Thrown by ``check(_:options:)``.
  public struct Failure: Error, CustomStringConvertible {
    /// At least one.
    public let violations: [Violation]

    /// One line for each.
    public var description: String {
      "The storage breaks its contract:\n" + violations.map { "- \($0)" }.joined(separator: "\n")
    }
  }

  /// How hard to look, and where.
  public struct Options: Sendable {
    /// The objects are kept below this key and a random one: the storage need not be empty.
    public var folder = "conformance"
    /// Whether they are removed at the end; where the storage goes anyway, not doing so saves time.
    public var removesObjects = true
    /// For the paging check; more than a page of the backend holds.
    public var objectCount = 1001
    /// How many requests run at once.
    public var concurrency = 16
    /// How many rounds of writing the atomicity check makes.
    public var rounds = 20
    /// Whether `PutCondition.ifAbsent` must be honoured; the contract leaves it open.
    public var mustHonourIfAbsent = false

    /// The defaults.
    public init() {}
  }

  let storage: any ObjectStorage
  let options: Options
  let folder: String

  /// Runs every check.
  ///
  /// - Throws: ``Failure`` with all violations; `CancellationError`.
  public static func check(_ storage: any ObjectStorage, options: Options = Options()) async throws {
    let violations = try await violations(of: storage, options: options)
    guard violations.isEmpty else { throw Failure(violations: violations) }
  }

  /// Runs every check and returns what is wrong; empty is good.
  ///
  /// - Throws: `CancellationError` alone.
  public static func violations(of storage: any ObjectStorage, options: Options = Options()) async throws -> [Violation]
  {
    let run = String(UInt64.random(in: .min ... .max), radix: 36)
    let conformance = StorageConformance(storage: storage, options: options, folder: "\(options.folder)/\(run)")
    var violations: [Violation] = []
    for (rule, body) in conformance.checks {
      do {
        try await body(conformance)
      } catch let broken as Broken {
        violations.append(Violation(rule: rule, detail: broken.detail))
      } catch let error as CancellationError {
        throw error
      } catch {
        violations.append(Violation(rule: rule, detail: "threw \(error)"))
      }
    }
    if options.removesObjects { await conformance.removeAll() }
    return violations
  }

  typealias Check = @Sendable (StorageConformance) async throws -> Void

  private var checks: [(rule: String, body: Check)] {
    objectChecks + listingChecks + concurrencyChecks
  }

  /// Thrown by a check that saw something wrong.
  struct Broken: Error {
    let detail: String
  }

  func expect(_ condition: Bool, _ detail: @autoclosure () -> String) throws {
    if !condition { throw Broken(detail: detail()) }
  }

  /// Runs `body`, which must throw a `RemoteError` with this code.
  func expect(_ code: RemoteError.Code, _ what: String, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as RemoteError {
      return try expect(error.code == code, "\(what) threw \(error.code), not \(code)")
    }
    throw Broken(detail: "\(what) succeeded instead of throwing \(code)")
  }

  func key(_ name: String) -> String { "\(folder)/\(name)" }

  /// The keys below `prefix`, without the check's own folder.
  func names(prefix: String) async throws -> [String] {
    try await storage.listAll(prefix: key(prefix)).map { String($0.key.dropFirst(folder.count + 1)) }
  }

  /// Runs `body` for each element, several at once.
  func forEachAtOnce<Element: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, element) in elements.enumerated() {
        if index >= options.concurrency { try await group.next() }
        group.addTask { try await body(element) }
      }
      try await group.waitForAll()
    }
  }

  /// What a check leaves behind harms nobody: failing to remove it is no violation.
  private func removeAll() async {
    guard let objects = try? await storage.listAll(prefix: folder + "/") else { return }
    try? await forEachAtOnce(objects) { try await storage.delete($0.key) }
  }
}
