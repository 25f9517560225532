internal import DimpleChangelog

/// What is known of one replica's part of the vault.
struct VaultLog {
  /// The numbers in objects that can be used.
  var usable = RangeSet64()
  /// The chain before each number at which some pack begins or ends.
  var chains: [Int64: [UInt8]] = [:]
  /// Ascending.
  private var borders: [Int64] = []
  var publicKey: [UInt8]?

  /// In any order, once or more.
  mutating func setBorders(_ numbers: [Int64]) { borders = Set(numbers).sorted() }

  /// The borders of a pack of these numbers: from the first to one past the last.
  func borders(of range: ClosedRange<Int64>) -> ArraySlice<Int64> {
    borders[position(of: range.lowerBound)...].prefix { $0 <= range.upperBound.saturatingSuccessor }
  }

  /// Of the first border from there on.
  private func position(of number: Int64) -> Int {
    var (low, high) = (0, borders.count)
    while low < high {
      let middle = (low + high) / 2
      if borders[middle] < number { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether a pack has the chains that are known at the borders in it; then the others of its borders are known.
  mutating func agrees(with decoded: DecodedPack) -> Bool {
    let new = borders(of: decoded.header.range).compactMap { border in
      decoded.chain(before: border).map { (border, $0) }
    }
    guard new.allSatisfy({ border, chain in chains[border, default: chain] == chain }) else { return false }
    for (border, chain) in new { chains[border] = chain }
    return true
  }
}
