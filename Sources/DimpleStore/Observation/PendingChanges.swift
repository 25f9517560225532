/// What the running transaction has changed so far: the statements that did, whose effects are only put together if
/// somebody wants to know.
struct PendingChanges {
  /// Grows whenever `noted` may lack what a statement noted before; a statement notes its writes once per epoch.
  private(set) var epoch: UInt64 = 0
  private var noted: [StatementEffects] = []
  private(set) var changesSchema = false

  /// What there is to return to when a savepoint is rolled back.
  struct Mark {
    fileprivate let count: Int
    fileprivate let changesSchema: Bool
  }

  mutating func note(_ effects: StatementEffects) {
    guard effects.notedInEpoch != epoch else { return }
    effects.notedInEpoch = epoch
    noted.append(effects)
  }

  mutating func noteSchemaChange(_ effects: StatementEffects) {
    changesSchema = true
    note(effects)
  }

  mutating func mark() -> Mark {
    // What is noted from here on must be noted again after a return.
    epoch += 1
    return Mark(count: noted.count, changesSchema: changesSchema)
  }

  mutating func restore(_ mark: Mark) {
    epoch += 1
    noted.removeSubrange(mark.count...)
    changesSchema = mark.changesSchema
  }

  mutating func reset() {
    epoch += 1
    noted.removeAll(keepingCapacity: true)
    changesSchema = false
  }

  /// Changes by table.
  var tables: [String: TableChange] {
    noted.reduce(into: [:]) { tables, effects in
      for (table, change) in effects.writes { tables[table, default: TableChange()].formUnion(change) }
    }
  }

  /// The event of the commit, or `nil` if nobody's result can have changed.
  var event: CommitEvent? {
    let tables = tables
    return tables.isEmpty && !changesSchema ? nil : CommitEvent(tables: tables, changesSchema: changesSchema)
  }
}
