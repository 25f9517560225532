import CSQLite
import Samples

/// The statements that the tracking benchmarks run, by hand.
extension SQLiteStore {
  /// A statement for each note, bound to all of it or to its key alone, so many to a transaction.
  package func write(_ notes: [Note], _ sql: String, bindsAll: Bool, rowsPerTransaction: Int) throws -> Int {
    let begin = try prepare("BEGIN IMMEDIATE")
    let statement = try prepare(sql)
    let commit = try prepare("COMMIT")
    for start in stride(from: 0, to: notes.count, by: rowsPerTransaction) {
      try finish(begin)
      for note in notes[start..<min(start + rowsPerTransaction, notes.count)] {
        bindText(note.id, to: statement, at: 1)
        if bindsAll { note.bindColumns(to: statement) }
        try finish(statement)
      }
      try finish(commit)
    }
    return notes.count
  }
}

extension Note {
  fileprivate func bindColumns(to statement: OpaquePointer) {
    bindText(title, to: statement, at: 2)
    bindText(text, to: statement, at: 3)
    sqlite3_bind_int64(statement, 4, isDone ? 1 : 0)
    sqlite3_bind_int64(statement, 5, priority)
    sqlite3_bind_double(statement, 6, score)
  }
}
