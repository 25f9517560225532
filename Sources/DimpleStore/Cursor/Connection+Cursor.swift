extension Connection {
  /// Compiles and binds a query whose statement stays where it is between two reads, until ``endCursor(_:)``.
  func beginCursor(_ id: UInt64, _ sql: SQL) throws { cursors[id] = try cursorStatement(sql) }

  /// The next rows of a cursor. One that is at its end, or failed, is ended.
  ///
  /// - Throws: ``StoreError`` if the work was stopped. What goes wrong in a row comes with the rows before it.
  func nextBatch<Element>(
    ofCursor id: UInt64, limit: Int, fill: RowCursor<Element>.Fill
  ) throws -> CursorBatch<Element> {
    guard let cursor = cursors[id] else {
      throw StoreError(.closed, operation: "read the next rows", message: "The cursor was ended.")
    }
    do {
      let batch = try cursor.nextBatch(limit: limit, fill: fill)
      if batch.ending != nil { endCursor(id) }
      return batch
    } catch {
      endCursor(id)
      throw error
    }
  }

  /// Lets a cursor's statement go; does nothing if that was done.
  func endCursor(_ id: UInt64) { cursors.removeValue(forKey: id)?.statement.endUse() }

  /// All rows of a query, for a database whose one connection cannot be kept from others.
  func wholeBatch<Element>(_ sql: SQL, fill: RowCursor<Element>.Fill) throws -> CursorBatch<Element> {
    let cursor = try cursorStatement(sql)
    defer { cursor.statement.endUse() }
    return try cursor.nextBatch(limit: .max, fill: fill)
  }

  private func cursorStatement(_ sql: SQL) throws -> CursorStatement {
    let statement = try prepare(sql)
    try statement.bindAll(sql)
    return CursorStatement(statement)
  }
}

/// Some rows of a result, and what comes after them.
struct CursorBatch<Element: Sendable>: Sendable {
  enum Ending {
    case finished
    case failed(any Error)
  }

  let rows: [Element]
  /// `nil` if there may be more rows.
  let ending: Ending?
}

extension CursorStatement {
  fileprivate func nextBatch<Element>(limit: Int, fill: RowCursor<Element>.Fill) throws -> CursorBatch<Element> {
    var rows: [Element] = []
    do {
      try fill(self, limit, &rows)
      return CursorBatch(rows: rows, ending: isAtEnd ? .finished : nil)
    } catch let error as StoreError where [.interrupted, .busy].contains(error.code) {
      // Not a fault of the row: whoever stopped the work is told at once.
      throw error
    } catch {
      return CursorBatch(rows: rows, ending: .failed(error))
    }
  }
}
