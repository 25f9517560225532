internal import DimpleChangelog
internal import DimpleStore

/// Reads a pack's lines in the one form in which this library writes them, straight into a ``ChangeBatch``.
///
/// Lines of another form it leaves to ``TransactionReader``: what it reads, that would read alike.
struct TransactionScanner {
  struct Scanned: Equatable {
    /// The time of the last change.
    var newest: HybridTime
    /// How many changes there are.
    var changes: Int
  }

  private struct Column {
    var name: [UInt8]
    var number: Int64
  }

  private struct Table {
    var name: [UInt8]
    var number: Int64
    /// Those seen so far, by the bytes of their names.
    var columns: [Column] = []
  }

  private let session: MergeSession
  private var tables: [Table] = []
  /// Changes mostly have the table of the one before.
  private var last = 0

  init(_ session: MergeSession) { self.session = session }

  /// - Parameters:
  ///   - line: Without its line feed.
  ///   - number: The one that the transaction must have.
  ///   - author: In ``ReplicaTable``.
  /// - Returns: `nil` if the line is not in the expected form; then the batch is as it was.
  mutating func scan(
    _ line: UnsafeBufferPointer<UInt8>, number: Int64, by author: Int64, into batch: ChangeBatch
  ) throws -> Scanned? {
    let mark = batch.mark
    let scanned = try scanTransaction(line, number, author, batch)
    if scanned == nil { batch.removeAll(after: mark) }
    return scanned
  }

  private mutating func scanTransaction(
    _ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ author: Int64, _ batch: ChangeBatch
  ) throws -> Scanned? {
    guard var cursor = JSONCursor(line), cursor.skip(#"{"number":"#), cursor.integer() == number,
      cursor.skip(#","time":"#), var time = cursor.integer(), time >= 0, cursor.skip(#","changes":["#)
    else { return nil }
    var count = 0
    repeat {
      guard let head = try scanHead(&cursor) else { return nil }
      guard count > 0 || head.ticks == 0, time <= HybridTime.maximum.rawValue - head.ticks else { return nil }
      time += head.ticks
      let entry = try scanChange(&cursor, head.operation, at: time, author, batch)
      guard let entry else { return nil }
      batch.append(entry, to: tables[last].number)
      time += 1
      count += 1
    } while cursor.skip("," as Unicode.Scalar)
    guard cursor.skip("]}"), cursor.isAtEnd else { return nil }
    return Scanned(newest: HybridTime(rawValue: time - 1), changes: count)
  }

  /// Up to the key.
  private mutating func scanHead(
    _ cursor: inout JSONCursor
  ) throws -> (operation: ChangeBatch.Operation, ticks: Int64)? {
    guard cursor.skip(#"{"table":"#), let name = cursor.quoted(), try find(name) else { return nil }
    guard cursor.skip(#","op":""#) else { return nil }
    let operation: ChangeBatch.Operation
    if cursor.skip(#"update""#) {
      operation = .update
    } else if cursor.skip(#"insert""#) {
      operation = .insert
    } else if cursor.skip(#"delete""#) {
      operation = .delete
    } else {
      return nil
    }
    guard cursor.skip(#","ticks":"#) else { return (operation, 0) }
    guard let ticks = cursor.integer(), ticks > 0, ticks <= HybridTime.maximum.rawValue else { return nil }
    return (operation, ticks)
  }

  private mutating func scanChange(
    _ cursor: inout JSONCursor, _ operation: ChangeBatch.Operation, at time: Int64, _ author: Int64,
    _ batch: ChangeBatch
  ) throws -> ChangeBatch.Entry? {
    guard cursor.skip(#","key":["#) else { return nil }
    let key = batch.bytes.count
    repeat {
      // No key has one, and the parser says so.
      guard !cursor.skip("null"), Self.scanValue(&cursor, batch) else { return nil }
    } while cursor.skip("," as Unicode.Scalar)
    guard cursor.skip("]" as Unicode.Scalar) else { return nil }
    let keyLength = batch.bytes.count - key
    let firstCell = batch.cells.count
    if cursor.skip(#","columns":{"#) {
      guard try scanColumns(&cursor, batch, from: firstCell) else { return nil }
    }
    guard cursor.skip("}" as Unicode.Scalar) else { return nil }
    return ChangeBatch.Entry(
      time: time, author: author, key: key, keyLength: Int32(keyLength), operation: operation, firstCell: firstCell,
      cellCount: batch.cells.count - firstCell)
  }

  /// Up to and with the closing brace; names must ascend, as they are written.
  private mutating func scanColumns(
    _ cursor: inout JSONCursor, _ batch: ChangeBatch, from firstCell: Int
  ) throws -> Bool {
    var place = 0
    repeat {
      guard let name = cursor.quoted(), cursor.skip(":" as Unicode.Scalar) else { return false }
      guard let found = try find(name, from: place) else { return false }
      let value = batch.bytes.count
      guard Self.scanValue(&cursor, batch) else { return false }
      batch.append(
        ChangeBatch.Cell(
          column: tables[last].columns[found].number, value: value, length: Int32(batch.bytes.count - value)),
        from: firstCell)
      place = found + 1
    } while cursor.skip("," as Unicode.Scalar)
    return cursor.skip("}" as Unicode.Scalar)
  }

  private static func scanValue(_ cursor: inout JSONCursor, _ batch: ChangeBatch) -> Bool {
    guard let value = cursor.scalar() else { return false }
    batch.bytes.value(value)
    return true
  }

  // MARK: - Names

  /// Sets ``last``; `false` for what is no name.
  private mutating func find(_ name: UnsafeBufferPointer<UInt8>) throws -> Bool {
    if last < tables.count, name.hasBytes(tables[last].name) { return true }
    if let index = tables.firstIndex(where: { name.hasBytes($0.name) }) {
      last = index
      return true
    }
    guard let text = String(utf8: name) else { return false }
    last = tables.count
    tables.append(Table(name: Array(name), number: try session.names.table(text, session.connection)))
    return true
  }

  /// Where a column of the table at hand stands; `nil` for what is no name, or does not come after those before `place`.
  private mutating func find(_ name: UnsafeBufferPointer<UInt8>, from place: Int) throws -> Int? {
    var place = place
    while place < tables[last].columns.count {
      if name.hasBytes(tables[last].columns[place].name) { return place }
      if name.lexicographicallyPrecedes(tables[last].columns[place].name) { break }
      place += 1
    }
    if place > 0, !tables[last].columns[place - 1].name.lexicographicallyPrecedes(name) { return nil }
    guard let text = String(utf8: name) else { return nil }
    let number = try session.names.column(text, of: tables[last].number, session.connection)
    tables[last].columns.insert(Column(name: Array(name), number: number), at: place)
    return place
  }
}
