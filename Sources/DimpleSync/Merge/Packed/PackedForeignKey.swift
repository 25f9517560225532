internal import DimpleStore

/// Whether the rows that packed rows refer to are shown.
final class PackedForeignKey {
  let key: ForeignKey
  private let statement: Statement
  /// The values last found, one after the other: neighbours often have the same parent.
  @exclusivity(unchecked) private var answered: [UInt8] = []

  init(_ key: ForeignKey, _ schema: MergeSchema, _ connection: Connection) throws {
    self.key = key
    let parent = schema.tables[key.parent]
    let condition = key.parentColumns.map { "\(SQL.quoted(identifier: parent.allColumns[$0].name)) = ?" }
      .joined(separator: " AND ")
    statement = try connection.prepare(
      "SELECT 1 FROM \(SQL.quoted(identifier: parent.name)) WHERE \(condition) LIMIT 1")
  }

  /// Whether a row is shown that has these values.
  func isAnswered(_ values: [PackedValue]) throws -> Bool {
    if isLast(values) { return true }
    for (index, value) in values.enumerated() { try statement.bind(borrowed: value, at: Int32(index + 1)) }
    let found = try statement.step()
    statement.reset()
    guard found else { return false }
    answered.removeAll(keepingCapacity: true)
    for value in values { answered.append(contentsOf: UnsafeBufferPointer(start: value.start, count: value.count)) }
    return true
  }

  private func isLast(_ values: [PackedValue]) -> Bool {
    var offset = 0
    for value in values {
      guard offset + value.count <= answered.count else { return false }
      for index in 0..<value.count where answered[offset + index] != value.start[index] { return false }
      offset += value.count
    }
    return offset == answered.count && offset > 0
  }
}
