internal import DimpleChangelog
internal import DimpleStore

/// The own log, by its payloads: docs/CHANGELOG_FORMAT.md.
extension ChangeBatch {
  private static let run: UInt8 = 5
  private static let rekey: UInt8 = 4

  /// Adds the changes of a row of the log. If it ``borrows`` after that, it must be used before the payload goes.
  ///
  /// - Parameters:
  ///   - time: The row's.
  ///   - numbers: Of the log's tables and columns.
  /// - Returns: The transaction's number.
  func append(
    _ payload: UnsafeRawBufferPointer, at time: Int64, by author: Int64, _ numbers: LogNumbers
  ) throws -> Int64 {
    var reader = try PackedReader(payload)
    let head = try reader.byte()
    let transaction = Int64(bitPattern: try reader.varint())
    numbers.begin(transaction)
    guard head == Self.run else {
      let table = Int64(bitPattern: try reader.varint())
      try appendRecord(&reader, head & 7, LogTable(table, keyCount: Int(head >> 3), numbers), time, author, numbers)
      return transaction
    }
    _ = try reader.varint()
    var time = time
    var table: LogTable?
    while !reader.isAtEnd {
      let head = try reader.byte()
      if head >> 3 > 0 {
        table = try LogTable(Int64(bitPattern: reader.varint()), keyCount: Int(head >> 3), numbers)
      }
      guard let table else { throw LogNumbers.damaged }
      // A rekey takes two times: the first is the delete's.
      if head & 7 == Self.rekey { time += 1 }
      try appendRecord(&reader, head & 7, table, time, author, numbers)
      time += 1
    }
    return transaction
  }

  private struct LogTable {
    /// In the log.
    var id: Int64
    /// In the merged state.
    var number: Int64
    var keyCount: Int

    init(_ id: Int64, keyCount: Int, _ numbers: LogNumbers) throws {
      guard let number = try numbers.table(id) else { throw LogNumbers.damaged }
      self.id = id
      self.number = number
      self.keyCount = keyCount
    }
  }

  private func appendRecord(
    _ reader: inout PackedReader, _ operation: UInt8, _ table: LogTable, _ time: Int64, _ author: Int64,
    _ numbers: LogNumbers
  ) throws {
    let isRekey = operation == Self.rekey
    let key = try copyKey(&reader, table.keyCount)
    let oldKey = isRekey ? try copyKey(&reader, table.keyCount) : nil
    let firstCell = cells.count
    try appendCells(&reader, from: firstCell, numbers, table.id)
    let oldCells = cells.count
    if let oldKey {
      try appendCells(&reader, from: oldCells, numbers, table.id)
      append(
        Entry(
          time: time - 1, author: author, key: oldKey.offset, keyLength: oldKey.length, operation: .delete,
          firstCell: oldCells, cellCount: cells.count - oldCells), to: table.number)
    }
    guard let operation = isRekey ? .insert : Operation(rawValue: operation) else { throw LogNumbers.damaged }
    append(
      Entry(
        time: time, author: author, key: key.offset, keyLength: key.length, operation: operation,
        firstCell: firstCell, cellCount: oldCells - firstCell), to: table.number)
  }

  private func copyKey(_ reader: inout PackedReader, _ count: Int) throws -> (offset: Int, length: Int32) {
    let start = reader.position
    for _ in 0..<count { try reader.skipValue() }
    let offset = bytes.count
    bytes.append(start, reader.position - start)
    return (offset, Int32(reader.position - start))
  }

  /// Up to the payload's end, or to the 0 that ends the cells.
  private func appendCells(
    _ reader: inout PackedReader, from firstCell: Int, _ numbers: LogNumbers, _ table: Int64
  ) throws {
    while !reader.isAtEnd {
      let column = Int64(bitPattern: try reader.varint())
      if column == 0 { return }
      let start = reader.position
      try reader.skipValue()
      let length = reader.position - start
      guard let number = try numbers.column(column, of: table) else { throw LogNumbers.damaged }
      if length > BigReference.threshold {
        append(borrowed: start, count: length, column: number, from: firstCell)
        continue
      }
      let offset = bytes.count
      bytes.append(start, length)
      append(Cell(column: number, value: offset, length: Int32(length)), from: firstCell)
    }
  }
}
