#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Values with a structure of their own, kept as JSON text in one column.
///
/// Keys are sorted, so that equal values are equal text; dates have the same form as in a column.
enum JSONColumn {
  static func encode<T: Encodable>(_ value: T) throws -> SQLValue {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      switch date.sqlValue {
      case .text(let text): try container.encode(text)
      default: try container.encode(date.timeIntervalSince1970)
      }
    }
    return .text(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  static func decode<T: Decodable>(_ type: T.Type, from row: RowDecoder, column: Int32) throws -> T {
    let field = row.field(column)
    guard field.type == .text else { throw row.mismatch(type, column: column) }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    decoder.dateDecodingStrategy = .custom { decoder in
      let container = try decoder.singleValueContainer()
      if let seconds = try? container.decode(Double.self) { return Date(timeIntervalSince1970: seconds) }
      return try Date(sqlValue: .text(container.decode(String.self)))
    }
    do {
      return try decoder.decode(type, from: field.withBytes { Data($0) })
    } catch {
      var mismatch = row.mismatch(type, column: column)
      mismatch.message = "The text is not the JSON of \(type)."
      mismatch.underlying = error
      throw mismatch
    }
  }
}
