internal import DimpleDb

/// Prints rows: a table for people, an object a line for programs.
struct RowPrinter {
  let json: Bool

  func print(_ rows: [Row]) {
    if json {
      for row in rows { Console.print(Self.object(row)) }
    } else if let first = rows.first {
      table(headers: first.columnNames, rows.map { row in row.columnNames.indices.map { Self.cell(row[$0]) } })
    }
  }

  /// `{"column":value,…}`; values as in packs: blobs are `{"blob":"<base64>"}`.
  static func object(_ row: Row) -> String {
    var writer = JSONWriter()
    var taken: Set<String> = []
    writer.list(row.columnNames.enumerated(), from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, column in
      // Two columns of one name would make an object that many programs refuse.
      var name = column.element
      while !taken.insert(name).inserted { name += ":\(column.offset)" }
      writer.string(name)
      writer.byte(UInt8(ascii: ":"))
      ValueJSON.write(row[column.offset], to: &writer)
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  static func cell(_ value: SQLValue) -> String {
    switch value {
    case .null: "NULL"
    case .integer(let value): String(value)
    case .real(let value): String(value)
    case .text(let text): text.replacing("\n", with: "\\n")
    case .blob(let bytes): "<\(bytes.count) bytes>"
    case .invalidText(let bytes): "<text, \(bytes.count) bytes, not UTF-8>"
    }
  }

  func table(headers: [String], _ rows: [[String]]) {
    let widths = headers.indices.map { column in
      min(40, ([headers[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0)
    }
    Console.print(Self.line(headers, widths))
    Console.print(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
    for row in rows { Console.print(Self.line(row, widths)) }
  }

  private static func line(_ cells: [String], _ widths: [Int]) -> String {
    zip(cells, widths).map { cell, width in
      let shown = cell.count > width ? cell.prefix(width - 1) + "…" : cell[...]
      return shown + String(repeating: " ", count: width - shown.count)
    }
    .joined(separator: "  ")
    .trimmingTrailingSpaces()
  }
}

extension String {
  fileprivate func trimmingTrailingSpaces() -> String {
    String(prefix(upTo: lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex))
  }
}
