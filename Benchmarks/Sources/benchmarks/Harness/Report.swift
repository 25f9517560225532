import Foundation

/// How measurements are shown.
enum Report {
  /// For people: a line per benchmark, times and ratios.
  static func line(_ measurement: Measurement) -> String {
    let unit = measurement.unit.dropFirst(3)
    let show = { measurement.isRate ? rate($0) : time($0) }
    let ours = measurement.medians.first.map { show($0.nanoseconds) + (measurement.isRate ? "" : " per \(unit)") } ?? ""
    let peers = zip(measurement.medians.dropFirst(), measurement.ratios).map { median, ratio in
      padded("\(median.name) \(show(median.nanoseconds))", 18) + String(format: "%5.2fx", ratio.ratio)
        + bar(measurement.bars[ratio.peer], ratio.ratio)
    }
    return padded(measurement.suite, 11) + padded(measurement.name, 58)
      + padded(ours, 22) + peers.joined(separator: "   ")
  }

  /// What the ratio should at most be, and whether it is more.
  private static func bar(_ bar: Double?, _ ratio: Double) -> String {
    guard let bar else { return padded("", 8) }
    return padded(String(format: "%@%.2f", ratio > bar ? " > " : " ≤ ", bar), 8)
  }

  /// For programs: an object per peer, or one without.
  static func json(_ measurement: Measurement) -> [String] {
    let value = rounded(measurement.medians.first?.nanoseconds ?? 0)
    let head =
      "{\"suite\":\"\(measurement.suite)\",\"name\":\"\(measurement.name)\",\"value\":\(value),\"unit\":\"\(measurement.unit)\""
    if measurement.ratios.isEmpty { return [head + ",\"peer\":null,\"ratio\":null}"] }
    return measurement.ratios.map { peer, ratio in
      let bar = measurement.bars[peer].map { ",\"bar\":\(rounded($0))" } ?? ""
      return head + ",\"peer\":\"\(peer)\",\"ratio\":\(rounded(ratio))\(bar)}"
    }
  }

  private static func time(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1_000: String(format: "%.0f ns", nanoseconds)
    case ..<1_000_000: String(format: "%.2f µs", nanoseconds / 1_000)
    default: String(format: "%.2f ms", nanoseconds / 1_000_000)
    }
  }

  /// How many in a second.
  private static func rate(_ nanoseconds: Double) -> String { String(format: "%.0f/s", 1_000_000_000 / nanoseconds) }

  private static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
