internal import DimpleStore

/// Reads the states of rows whose keys ascend: where those that are wanted lie close together, one query reads many.
///
/// A lookup takes three times as long as going from a row to the next. So a query takes in all rows from the key that is wanted
/// to one that will be; if others in between are too many, keys are looked up one by one from then on.
///
/// What it has read is good as long as nobody writes to the states that are still to be asked for. Confined to one merge
/// transaction of one connection.
final class StateReader {
  private struct Row {
    /// Where its key begins in ``bytes``, and where it ends and the state begins.
    var key: Int
    var state: Int
    var status: Int64
  }

  /// So many keys ahead are read.
  static let reach = 32
  /// A query that meets more rows than that for them was not worth it.
  private static let maximumRows = 4 * reach

  private let one: Statement
  private let many: Statement
  @exclusivity(unchecked) private var bytes = PackedWriter(capacity: 1 << 12)
  @exclusivity(unchecked) private var rows: [Row] = []
  @exclusivity(unchecked) private var next = 0
  /// Up to this key of ``table``, ``rows`` has all.
  private var table: Int64 = 0
  @exclusivity(unchecked) private var last = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isWorthIt = true

  init(_ connection: Connection) throws {
    one = try connection.prepare("SELECT state, status FROM dimple_row WHERE tbl = ? AND key = ?")
    many = try connection.prepare(
      """
      SELECT key, state, status FROM dimple_row WHERE tbl = ? AND key >= ? AND key <= ? ORDER BY key LIMIT \(Self.maximumRows)
      """)
  }

  /// Forgets what was read: other keys, or other states, follow.
  func restart() {
    forget()
    isWorthIt = true
  }

  private func forget() {
    rows.removeAll(keepingCapacity: true)
    bytes.removeAll()
    next = 0
    last = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The state of a row; `nil` for one never seen.
  ///
  /// - Parameters:
  ///   - ahead: A key that will be asked for some time later, or the same one. Its bytes stay where they are until then.
  ///   - body: Gets the state and the status; the bytes are good until the next call.
  func read(
    _ key: UnsafeRawBufferPointer, of table: Int64, ahead: UnsafeRawBufferPointer,
    _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
  ) throws -> Bool {
    if last.baseAddress == nil || table != self.table || compare(key, last) > 0 {
      guard isWorthIt, compare(key, ahead) < 0, try readMany(key, table, ahead) else {
        return try readOne(key, table, body)
      }
    }
    while next < rows.count {
      let row = rows[next]
      let order = compare(UnsafeRawBufferPointer(rebasing: bytes.bytes[row.key..<row.state]), key)
      if order > 0 { return false }
      next += 1
      guard order == 0 else { continue }
      let end = next < rows.count ? rows[next].key : bytes.count
      try body(UnsafeRawBufferPointer(rebasing: bytes.bytes[row.state..<end]), row.status)
      return true
    }
    return false
  }

  private func readOne(
    _ key: UnsafeRawBufferPointer, _ table: Int64, _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
  ) throws -> Bool {
    try one.bind(int64: table, at: 1)
    try one.bind(borrowedBlob: key, at: 2)
    guard try one.step() else { return false }
    defer { one.reset() }
    bytes.removeAll()
    one.withBytes(0) { bytes.append($0) }
    try body(bytes.bytes, one.int64(1))
    return true
  }

  /// - Returns: Whether it has all rows up to `last`.
  private func readMany(
    _ first: UnsafeRawBufferPointer, _ table: Int64, _ last: UnsafeRawBufferPointer
  ) throws -> Bool {
    forget()
    defer { many.reset() }
    try many.bind(int64: table, at: 1)
    try many.bind(borrowedBlob: first, at: 2)
    try many.bind(borrowedBlob: last, at: 3)
    while try many.step() {
      let start = bytes.count
      many.withBytes(0) { bytes.append($0) }
      rows.append(Row(key: start, state: bytes.count, status: many.int64(2)))
      many.withBytes(1) { bytes.append($0) }
    }
    guard rows.count < Self.maximumRows else {
      isWorthIt = false
      forget()
      return false
    }
    (self.table, self.last) = (table, last)
    return true
  }

  private func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    guard let one = left.baseAddress, let other = right.baseAddress else { return left.count - right.count }
    return KeyBytes.compare(
      one.assumingMemoryBound(to: UInt8.self), left.count, other.assumingMemoryBound(to: UInt8.self), right.count)
  }
}
