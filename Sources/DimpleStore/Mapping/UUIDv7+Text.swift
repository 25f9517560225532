extension UUIDv7: CustomStringConvertible, LosslessStringConvertible {
  /// 36 characters in lower case: `0190163d-8694-739b-aea5-966c26f8ad91`. Text sorts as the identifiers do.
  public var description: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      var position = 0
      for index in 0..<32 {
        if index == 8 || index == 12 || index == 16 || index == 20 {
          buffer[position] = UInt8(ascii: "-")
          position += 1
        }
        let half = index < 16 ? high : low
        let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (index & 15))) & 0xF
        buffer[position] = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
        position += 1
      }
      return 36
    }
  }

  /// From 36 characters in either case; `nil` for anything else, other versions of UUID included.
  public init?(_ description: String) {
    var text = description
    let halves: (UInt64, UInt64)? = text.withUTF8 { bytes in
      guard bytes.count == 36 else { return nil }
      var halves: (UInt64, UInt64) = (0, 0)
      var digits = 0
      for (position, byte) in bytes.enumerated() {
        if position == 8 || position == 13 || position == 18 || position == 23 {
          guard byte == UInt8(ascii: "-") else { return nil }
          continue
        }
        guard let nibble = Self.nibble(byte) else { return nil }
        if digits < 16 { halves.0 = halves.0 << 4 | nibble } else { halves.1 = halves.1 << 4 | nibble }
        digits += 1
      }
      return halves
    }
    guard let (high, low) = halves else { return nil }
    self.init(high: high, low: low)
    guard self.high == high, self.low == low else { return nil }
  }

  private static func nibble(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}

extension UUIDv7: Codable {
  /// From its text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = UUIDv7(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a version 7 UUID")
    }
    self = value
  }

  /// As its text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension UUIDv7: SQLConvertible {
  /// Text of 36 characters in lower case.
  public var sqlValue: SQLValue { .text(description) }

  /// From text in either case, or a blob of 16 bytes; only version 7.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let value = UUIDv7(text) else { throw StoreError.mismatch(UUIDv7.self, sqlValue) }
      self = value
    case .blob(let bytes) where bytes.count == 16:
      let high = bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let low = bytes[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      self.init(high: high, low: low)
      guard self.high == high, self.low == low else { throw StoreError.mismatch(UUIDv7.self, sqlValue) }
    default: throw StoreError.mismatch(UUIDv7.self, sqlValue)
    }
  }
}
