internal import DimpleChangelog
internal import DimpleStore

/// Reads changes in the one form in which this library writes them, several times as fast as ``JSONParser``.
///
/// Whatever it does not expect it leaves to the parser: escapes, blobs, members in another order, members that are not known,
/// and all that is wrong. What it reads, the parser would read alike.
struct ChangeScanner {
  struct Scanned {
    var change: PackChange
    /// 0 where there are none.
    var ticks: Int64
    /// Behind the change.
    var end: Int
  }

  private struct Name {
    var text: String
    var utf8: [UInt8]
  }

  /// Changes mostly have the table and the columns of the one before.
  private var table = Name(text: "", utf8: [])
  private var columns: [Name] = []

  /// - Parameter start: Where the change begins.
  /// - Returns: `nil` if it is not in the expected form.
  mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Scanned? {
    var cursor = Cursor(bytes: bytes, index: start)
    guard cursor.skip(#"{"table":"#), let name = cursor.quoted() else { return nil }
    if !name.hasBytes(table.utf8) {
      guard let text = String(utf8: name) else { return nil }
      table = Name(text: text, utf8: Array(name))
      columns = []
    }
    guard cursor.skip(#","op":"#), let operation = cursor.operation() else { return nil }
    var ticks: Int64 = 0
    if cursor.skip(#","ticks":"#) {
      guard case .integer(let value)? = cursor.number(), value > 0, value <= HybridTime.maximum.rawValue else {
        return nil
      }
      ticks = value
    }
    guard cursor.skip(#","key":["#) else { return nil }
    var key: [SQLValue] = []
    repeat {
      guard let value = cursor.value() else { return nil }
      key.append(value)
    } while cursor.skip(",")
    guard cursor.skip("]") else { return nil }
    var values: [ColumnValue] = []
    if cursor.skip(#","columns":{"#) {
      values.reserveCapacity(columns.count)
      guard scanColumns(&cursor, &values) else { return nil }
    }
    guard cursor.skip("}") else { return nil }
    let change = PackChange(
      time: HybridTime(rawValue: 0), table: table.text, key: key, operation: operation, columns: values)
    return Scanned(change: change, ticks: ticks, end: cursor.index)
  }

  /// Up to and with the closing brace; names must ascend, as they are written.
  private mutating func scanColumns(_ cursor: inout Cursor, _ values: inout [ColumnValue]) -> Bool {
    var position = 0
    repeat {
      guard let name = cursor.quoted(), cursor.skip(":") else { return false }
      if position == columns.count || !name.hasBytes(columns[position].utf8) {
        guard let text = String(utf8: name), position == 0 || columns[position - 1].utf8.lexicographicallyPrecedes(name)
        else { return false }
        // Those behind it come after others now.
        columns.removeSubrange(position...)
        columns.append(Name(text: text, utf8: Array(name)))
      }
      guard let value = cursor.value() else { return false }
      values.append(ColumnValue(name: columns[position].text, value: value))
      position += 1
    } while cursor.skip(",")
    return cursor.skip("}")
  }
}

extension ChangeScanner {
  private struct Cursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var index: Int

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    @inline(__always)
    mutating func skip(_ text: StaticString) -> Bool {
      let count = text.utf8CodeUnitCount
      guard bytes.count - index >= count else { return false }
      for offset in 0..<count where bytes[index + offset] != text.utf8Start[offset] { return false }
      index += count
      return true
    }

    /// What stands between quotes, if there is no escape in it.
    mutating func quoted() -> UnsafeBufferPointer<UInt8>? {
      guard next == UInt8(ascii: "\"") else { return nil }
      var end = index + 1
      while end < bytes.count {
        let byte = bytes[end]
        if byte == UInt8(ascii: "\"") {
          let content = UnsafeBufferPointer(rebasing: bytes[(index + 1)..<end])
          index = end + 1
          return content
        }
        if byte == UInt8(ascii: "\\") || byte < 0x20 { return nil }
        end += 1
      }
      return nil
    }

    mutating func operation() -> Change.Operation? {
      if skip(#""insert""#) { return .insert }
      if skip(#""update""#) { return .update }
      return skip(#""delete""#) ? .delete : nil
    }

    mutating func value() -> SQLValue? {
      switch next {
      case UInt8(ascii: "\""): quoted().flatMap { String(utf8: $0) }.map(SQLValue.text)
      case UInt8(ascii: "n"): skip("null") ? .null : nil
      default: number()
      }
    }

    /// Numbers whose value follows from few digits.
    mutating func number() -> SQLValue? {
      let isNegative = next == UInt8(ascii: "-")
      if isNegative { index += 1 }
      let start = index
      var digits: Int64 = 0
      guard scanDigits(&digits), index - start == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
      guard next == UInt8(ascii: ".") else {
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") || index - start > 18 { return nil }
        return .integer(isNegative ? -digits : digits)
      }
      index += 1
      let pointIndex = index
      guard scanDigits(&digits), next != UInt8(ascii: "e"), next != UInt8(ascii: "E"), index - start <= 16 else {
        return nil
      }
      // Both are exact in a double, so their quotient is the nearest one to the number.
      let value = Double(digits) / Self.powers[index - pointIndex]
      return .real(isNegative ? -value : value)
    }

    /// At least one.
    private mutating func scanDigits(_ value: inout Int64) -> Bool {
      let start = index
      while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        value = value &* 10 &+ Int64(byte - UInt8(ascii: "0"))
        index += 1
      }
      return index > start
    }

    private static let powers: [Double] = [
      1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    ]
  }
}

extension UnsafeBufferPointer<UInt8> {
  fileprivate func hasBytes(_ other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where self[index] != other[index] { return false }
    return true
  }
}
