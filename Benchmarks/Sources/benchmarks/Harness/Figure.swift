import Foundation

/// Something that is counted once instead of timed: bytes, memory.
struct Figure {
  var suite: String
  var name: String
  var value: Double
  var unit: String
  /// What it should at most be.
  var bar: Double?

  /// For people, and for programs.
  func lines(isJSON: Bool) -> [String] {
    if isJSON {
      let bar = bar.map { String(format: ",\"bar\":%.3f", $0) } ?? ""
      let value = String(format: "%.3f", value)
      return [
        "{\"suite\":\"\(suite)\",\"name\":\"\(name)\",\"value\":\(value),\"unit\":\"\(unit)\",\"peer\":null\(bar)}"
      ]
    }
    let bar = bar.map { String(format: "%@%.0f", value > $0 ? " > " : " ≤ ", $0) } ?? ""
    return [padded(suite, 11) + padded(name, 58) + String(format: "%.1f %@", value, unit) + bar]
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}

/// The memory of this process, in MiB, as Linux tells it; `nil` elsewhere.
enum PeakMemory {
  /// How much more than before the work took at its peak.
  static func measure(_ work: () async throws -> Void) async throws -> Double? {
    // The peak counts from here.
    guard (try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)) != nil,
      let before = mebibytes("VmRSS:")
    else { return nil }
    try await work()
    return mebibytes("VmHWM:").map { $0 - before }
  }

  private static func mebibytes(_ name: String) -> Double? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
  }
}
