extension UUIDv7: LosslessStringConvertible {
  /// Lowercase with hyphens: `01931f3a-7c4e-7000-8000-000000000000`.
  public var description: String {
    let digits = Self.hex(high) + Self.hex(low)
    var groups: [Substring] = []
    var rest = digits[...]
    for length in [8, 4, 4, 4, 12] {
      groups.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return groups.joined(separator: "-")
  }

  private static func hex(_ half: UInt64) -> String {
    let digits = String(half, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// From text in either case; `nil` unless it is a UUID of version 7.
  public init?(_ description: String) {
    let groups = description.split(separator: "-", omittingEmptySubsequences: false)
    guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12], description.utf8.allSatisfy({ $0 < 0x80 }),
      let high = UInt64(groups[0..<3].joined(), radix: 16), let low = UInt64(groups[3..<5].joined(), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
    guard self.high == high, self.low == low, !description.contains("+") else { return nil }
  }
}

extension UUIDv7: SQLConvertible {
  /// Text in lowercase.
  public var sqlValue: SQLValue { .text(description) }

  /// Text, or 16 bytes.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let uuid = UUIDv7(text) else { throw sqlValue.mismatch(UUIDv7.self) }
      self = uuid
    case .blob(let bytes) where bytes.count == 16:
      let halves = (bytes[..<8], bytes[8...])
      self.init(
        high: halves.0.reduce(0) { $0 << 8 | UInt64($1) }, low: halves.1.reduce(0) { $0 << 8 | UInt64($1) })
    default: throw sqlValue.mismatch(UUIDv7.self)
    }
  }
}

extension UUIDv7: Codable {
  /// From its text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let uuid = UUIDv7(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "Not a UUID of version 7.")
    }
    self = uuid
  }

  /// As its text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
