/// What the running transaction has changed so far.
struct PendingChanges {
  /// Grows whenever `tables` may lack what a statement noted before; a statement notes its writes once per epoch.
  private(set) var epoch: UInt64 = 0
  private(set) var tables: [String: TableChange] = [:]
  private(set) var changesSchema = false

  /// What there is to return to when a savepoint is rolled back.
  struct Mark {
    fileprivate let tables: [String: TableChange]
    fileprivate let changesSchema: Bool
  }

  mutating func note(_ effects: StatementEffects) {
    guard effects.notedInEpoch != epoch else { return }
    effects.notedInEpoch = epoch
    tables.merge(effects.writes) { old, new in
      var union = old
      union.formUnion(new)
      return union
    }
  }

  mutating func noteSchemaChange(_ effects: StatementEffects) {
    changesSchema = true
    note(effects)
  }

  mutating func mark() -> Mark {
    // What is noted from here on must be noted again after a return.
    epoch += 1
    return Mark(tables: tables, changesSchema: changesSchema)
  }

  mutating func restore(_ mark: Mark) {
    epoch += 1
    tables = mark.tables
    changesSchema = mark.changesSchema
  }

  mutating func reset() {
    epoch += 1
    tables.removeAll(keepingCapacity: true)
    changesSchema = false
  }

  /// The event of the commit, or `nil` if nobody's result can have changed.
  var event: CommitEvent? {
    tables.isEmpty && !changesSchema ? nil : CommitEvent(tables: tables, changesSchema: changesSchema)
  }
}
