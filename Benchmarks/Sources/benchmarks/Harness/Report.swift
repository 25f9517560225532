import Foundation

/// How measurements are shown.
enum Report {
  /// For people: a line per benchmark, times and ratios.
  static func line(_ measurement: Measurement) -> String {
    let ours = measurement.medians.first.map { time($0.nanoseconds) } ?? ""
    let peers = zip(measurement.medians.dropFirst(), measurement.ratios).map { median, ratio in
      padded("\(median.name) \(time(median.nanoseconds))", 22) + String(format: "%6.2fx", ratio.ratio)
    }
    return padded(measurement.suite, 11) + padded(measurement.name, 58)
      + padded("\(ours) per \(measurement.unit.dropFirst(3))", 22) + peers.joined(separator: "   ")
  }

  /// For programs: an object per peer, or one without.
  static func json(_ measurement: Measurement) -> [String] {
    let value = rounded(measurement.medians.first?.nanoseconds ?? 0)
    let head =
      "{\"suite\":\"\(measurement.suite)\",\"name\":\"\(measurement.name)\",\"value\":\(value),\"unit\":\"\(measurement.unit)\""
    if measurement.ratios.isEmpty { return [head + ",\"peer\":null,\"ratio\":null}"] }
    return measurement.ratios.map { head + ",\"peer\":\"\($0.peer)\",\"ratio\":\(rounded($0.ratio))}" }
  }

  private static func time(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<1_000: String(format: "%.0f ns", nanoseconds)
    case ..<1_000_000: String(format: "%.2f µs", nanoseconds / 1_000)
    default: String(format: "%.2f ms", nanoseconds / 1_000_000)
    }
  }

  private static func rounded(_ value: Double) -> String { String(format: "%.3f", value) }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
