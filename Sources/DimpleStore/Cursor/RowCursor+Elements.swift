/// How the elements are made of rows. In the caller's module the type is known, and appending costs a few instructions.
extension RowCursor {
  @inlinable
  init(decoding type: Element.Type, _ source: CursorSource, _ sql: SQL, _ batchSize: Int) where Element: Decodable {
    self.init(source, sql, batchSize: batchSize) { cursor, limit, rows in
      try cursor.forEach(Element.self, limit: limit) { rows.append($0) }
    }
  }

  @inlinable
  init(making type: Element.Type, _ source: CursorSource, _ sql: SQL, _ batchSize: Int) where Element: RowDecodable {
    self.init(source, sql, batchSize: batchSize) { cursor, limit, rows in
      try cursor.forEachRow(limit: limit) { rows.append(try Element(row: $0)) }
    }
  }

  @inlinable
  init<A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable>(
    tuples type: Element.Type, _ source: CursorSource, _ sql: SQL, _ batchSize: Int
  ) where Element == (A, B, repeat each Rest) {
    self.init(source, sql, batchSize: batchSize) { cursor, limit, rows in
      try cursor.forEachRow(limit: limit) { row in
        var position = 1
        func next() -> Int {
          position += 1
          return position
        }
        rows.append((try A.read(row, 0), try B.read(row, 1), repeat try (each Rest).read(row, next())))
      }
    }
  }
}

extension RowCursor where Element == Row {
  init(rowsOf source: CursorSource, _ sql: SQL, _ batchSize: Int) {
    self.init(source, sql, batchSize: batchSize) { cursor, limit, rows in
      try cursor.forEachWholeRow(limit: limit) { rows.append($0) }
    }
  }
}
