/// What a commit touched.
package struct CommitEvent: Sendable, Equatable {
  /// By table name.
  package var tables: [String: TableChange] = [:]
  /// Tables or columns came or went: anything may read differently.
  package var changesSchema = false
  /// Another process committed: anything may have changed.
  package var isExternal = false

  package init(tables: [String: TableChange] = [:], changesSchema: Bool = false, isExternal: Bool = false) {
    self.tables = tables
    self.changesSchema = changesSchema
    self.isExternal = isExternal
  }

  /// Whether a query that reads `readSet` may have another result now.
  package func touches(_ readSet: ReadSet) -> Bool {
    if changesSchema || isExternal { return true }
    return tables.contains { table, change in
      guard let columns = readSet.tables[table] else { return false }
      // Reading no column at all, as count(*) does, depends on the rows alone.
      return change.insertedOrDeleted || !change.updatedColumns.isDisjoint(with: columns)
    }
  }
}

/// What a commit did to one table.
package struct TableChange: Sendable, Equatable {
  /// Rows came or went.
  package var insertedOrDeleted = false
  /// Columns that were set.
  package var updatedColumns: Set<String> = []

  package init(insertedOrDeleted: Bool = false, updatedColumns: Set<String> = []) {
    self.insertedOrDeleted = insertedOrDeleted
    self.updatedColumns = updatedColumns
  }
}

/// The tables and columns that a query reads, views and subqueries resolved.
package struct ReadSet: Sendable, Equatable {
  /// Column names by table name. The empty name stands for the row's existence.
  package var tables: [String: Set<String>] = [:]

  package init(tables: [String: Set<String>] = [:]) { self.tables = tables }
}

/// What the running transaction has written so far.
struct PendingCommit {
  private var tables: [String: TableChange] = [:]
  var changesSchema = false

  mutating func add(_ writes: [String: TableChange]) {
    for (table, change) in writes {
      tables[table, default: TableChange()].insertedOrDeleted =
        tables[table]?.insertedOrDeleted == true || change.insertedOrDeleted
      tables[table]?.updatedColumns.formUnion(change.updatedColumns)
    }
  }

  /// `nil` if nothing was written.
  var event: CommitEvent? {
    tables.isEmpty && !changesSchema ? nil : CommitEvent(tables: tables, changesSchema: changesSchema)
  }
}
