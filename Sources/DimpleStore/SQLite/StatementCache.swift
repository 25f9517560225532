/// Prepared statements by their text, the least recently used going first.
struct StatementCache {
  private struct Key: Hashable {
    var sql: String
    /// The library's statements may touch what the app's may not: one must never stand in for the other.
    var isInternal: Bool
  }

  private struct Entry {
    var statement: Statement
    var lastUse: Int
  }

  private var entries: [Key: Entry] = [:]
  private var uses = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = max(1, capacity) }

  subscript(sql: String, isInternal: Bool) -> Statement? {
    mutating get {
      uses += 1
      let key = Key(sql: sql, isInternal: isInternal)
      entries[key]?.lastUse = uses
      return entries[key]?.statement
    }
    set {
      uses += 1
      entries[Key(sql: sql, isInternal: isInternal)] = newValue.map { Entry(statement: $0, lastUse: uses) }
      if entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        entries[oldest.key] = nil
      }
    }
  }

  mutating func removeAll() { entries = [:] }
}
