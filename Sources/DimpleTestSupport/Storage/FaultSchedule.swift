/// Decides which requests go wrong, and how. Pure: the same request always gets the same answer.
public struct FaultSchedule: Sendable {
  /// The fault for a request, or `nil` to let it pass.
  public let fault: @Sendable (StorageRequest) -> StorageFault?

  /// A schedule of one's own.
  public init(_ fault: @escaping @Sendable (StorageRequest) -> StorageFault?) { self.fault = fault }

  /// Lets everything pass.
  public static let none = FaultSchedule { _ in nil }

  /// Only the request with this number (from 1) goes wrong: run with 1, 2, 3 … until a run makes fewer requests.
  public static func only(_ number: Int, _ fault: StorageFault) -> FaultSchedule {
    FaultSchedule { $0.number == number ? fault : nil }
  }

  /// Random, but the same for a seed however concurrent requests interleave: what happens to a request depends on the
  /// seed, its operation, its key and how often that was asked before.
  ///
  /// - Parameters:
  ///   - oneIn: A request goes wrong once in so many, on average.
  ///   - kinds: Which faults may happen; those that make no difference to a request are not tried on it.
  public static func seeded(
    _ seed: UInt64, oneIn: Int, kinds: Set<StorageFault> = Set(StorageFault.allCases)
  ) -> FaultSchedule {
    FaultSchedule { request in
      var random = random(seed, request)
      guard random.oneIn(oneIn) else { return nil }
      return random.pick(request.possibleFaults.filter(kinds.contains))
    }
  }

  /// A source of chance that depends on the seed and the request alone.
  static func random(_ seed: UInt64, _ request: StorageRequest) -> SeededRandom {
    // FNV-1a; Swift's own hashes differ from run to run.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(request.operation.rawValue) \(request.key) \(request.occurrence)".utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return SeededRandom(seed: seed ^ hash)
  }
}
