internal import DimpleStore

/// What SQLite makes of a value before it compares or stores it in a column: https://sqlite.org/datatype3.html#type_affinity.
enum Affinity {
  case integer, text, blob, real, numeric

  /// - Parameter type: As declared; in a STRICT table, ANY changes nothing.
  init(declaredType type: String, isStrict: Bool) {
    let type = type.uppercased()
    if type.contains("INT") {
      self = .integer
    } else if type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT") {
      self = .text
    } else if type.contains("BLOB") || type.isEmpty || isStrict && type == "ANY" {
      self = .blob
    } else if type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB") {
      self = .real
    } else {
      self = .numeric
    }
  }

  /// Whether a number is stored in one way only, whatever it came as: 1 and 1.0 are one value.
  var makesNumbersOne: Bool { self == .integer || self == .numeric || self == .text }

  /// A parameter that SQLite compares as a value of the column.
  var mark: String {
    switch self {
    case .text: "CAST(? AS TEXT)"
    case .integer, .real, .numeric: "CAST(? AS NUMERIC)"
    case .blob: "?"
    }
  }

  /// As it is compared with values of the column. Numbers as ``MatchKey`` takes them: 1 is 1.0.
  func applied(to value: SQLValue) -> SQLValue {
    switch (self, value) {
    case (.text, .integer(let number)): .text(String(number))
    case (.text, .real(let number)): .text(Self.text(of: number))
    case (.integer, .text(let text)), (.real, .text(let text)), (.numeric, .text(let text)):
      Self.number(in: text) ?? value
    default: value
    }
  }

  private static func text(of number: Double) -> String {
    abs(number) < 1e15 && number == number.rounded() ? "\(Int64(number)).0" : "\(number)"
  }

  /// A whole text that is a number, with spaces around it: neither hexadecimal nor a word.
  private static func number(in text: String) -> SQLValue? {
    let trimmed = text.utf8.drop { isSpace($0) }
    let bytes = Array(trimmed.reversed().drop { isSpace($0) }.reversed())
    guard !bytes.isEmpty, bytes.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
    let number = String(decoding: bytes, as: UTF8.self)
    if let integer = Int64(number) { return .integer(integer) }
    return Double(number).map { .real($0) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
