internal import DimpleStore

/// Writes rows of `dimple_row`, many to a statement: what a statement costs by itself, and what it costs to find its place in the
/// table, is paid once for all of them. In the order of their keys, a row costs half as much.
///
/// Confined to one merge transaction of one connection.
final class StateWrites {
  /// What becomes of a row that is there already.
  enum Mode: String {
    case insert = "INSERT"
    case replace = "REPLACE"
  }

  private let batchSize: Int
  private struct Row {
    var table: Int64
    /// Where its key begins in ``bytes``, and where it ends and the state begins.
    var key: Int
    var state: Int
    var status: Int64
  }

  private let one: Statement
  private let many: Statement
  @exclusivity(unchecked) private var bytes = PackedWriter(capacity: 1 << 12)
  @exclusivity(unchecked) private var rows: [Row] = []

  /// - Parameter batchSize: How many rows go into a statement.
  init(_ mode: Mode, _ connection: Connection, batchSize: Int) throws {
    self.batchSize = batchSize
    let (sql, marks) = ("\(mode.rawValue) INTO dimple_row(tbl, key, state, status) VALUES ", "(?, ?, ?, ?)")
    one = try connection.prepare(sql + marks)
    many = try connection.prepare(sql + Array(repeating: marks, count: batchSize).joined(separator: ", "))
    rows.reserveCapacity(batchSize)
  }

  /// There are as many as go into a statement.
  var isFull: Bool { rows.count == batchSize }

  func append(table: Int64, key: UnsafeRawBufferPointer, state: UnsafeRawBufferPointer, status: RowStatus) {
    let start = bytes.count
    bytes.append(key)
    rows.append(Row(table: table, key: start, state: bytes.count, status: status.rawValue))
    bytes.append(state)
  }

  func removeAll() {
    rows.removeAll(keepingCapacity: true)
    bytes.removeAll()
  }

  /// Writes what was added, and forgets it.
  ///
  /// - Throws: `StoreError` of a constraint where a row to be inserted is there already; of a full batch, none was written.
  func flush() throws {
    defer { removeAll() }
    if isFull {
      for index in rows.indices { try bind(index, to: many, after: Int32(4 * index)) }
      _ = try many.step()
    } else {
      for index in rows.indices {
        try bind(index, to: one, after: 0)
        _ = try one.step()
      }
    }
  }

  private func bind(_ index: Int, to statement: Statement, after parameter: Int32) throws {
    let row = rows[index]
    let end = index + 1 < rows.count ? rows[index + 1].key : bytes.count
    try statement.bind(int64: row.table, at: parameter + 1)
    try statement.bind(
      borrowedBlob: UnsafeRawBufferPointer(rebasing: bytes.bytes[row.key..<row.state]), at: parameter + 2)
    try statement.bind(borrowedBlob: UnsafeRawBufferPointer(rebasing: bytes.bytes[row.state..<end]), at: parameter + 3)
    try statement.bind(int64: row.status, at: parameter + 4)
  }
}
