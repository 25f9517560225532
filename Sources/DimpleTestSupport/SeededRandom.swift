/// Pseudo-random numbers that repeat for a seed (SplitMix64): a failing test prints its seed, and the seed reproduces it.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Equal seeds give equal sequences.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number from 0 up to, not including, `bound`.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// True once in `times` calls, on average.
  public mutating func oneIn(_ times: Int) -> Bool { below(times) == 0 }

  /// One of `elements`, or `nil` of none.
  public mutating func pick<C: Collection>(_ elements: C) -> C.Element? { elements.randomElement(using: &self) }
}
