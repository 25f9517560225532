internal import DimpleStore

/// Pass 3: the greatest set of rows in which every reference is answered.
extension MergeSession {
  // MARK: - The dead that are still referred to

  /// Marks the dead rows that a live one refers to by a NO ACTION or RESTRICT foreign key: their delete would never have
  /// been allowed. Before pass 2, in which they claim their unique values after all the living.
  func markWanted() throws {
    for row in Array(rows.values) where !row.isAlive && row.wish != nil {
      for key in schema.references[row.table] where try isReferredTo(row, by: key) && !hasLivingLike(row, for: key) {
        row.isWanted = true
        for rival in try rivals(of: row, by: key) { rival.isWanted = true }
      }
    }
    var queue = rows.values.filter { mayStand($0) }
    while let row = queue.popLast() {
      for key in schema.tables[row.table].foreignKeys where key.onDelete == .keep {
        for parent in try deadParents(of: row, by: key) where !parent.isWanted {
          parent.isWanted = true
          if mayStand(parent) { queue.append(parent) }
        }
      }
    }
  }

  private func isReferredTo(_ row: WorkRow) throws -> Bool {
    try schema.references[row.table].contains { try isReferredTo(row, by: $0) }
  }

  private func isReferredTo(_ row: WorkRow, by key: ForeignKey) throws -> Bool {
    try key.onDelete == .keep && !settledChildren(of: row, by: key).isEmpty
  }

  /// Whether a live row answers what refers to a dead one, as with keys that differ in case alone: then nobody needs that.
  private func hasLivingLike(_ row: WorkRow, for key: ForeignKey) throws -> Bool {
    guard let wish = row.wish else { return false }
    if likesAtHand(of: row, for: key).contains(where: \.isAlive) { return true }
    return try access[key.parent].rows(
      where: key.parentColumns, equal: key.parentColumns.map { wish[$0] }, collations: key.collations
    ).contains { rows[self.key(of: $0, in: key.parent)] == nil }
  }

  /// The other dead rows that had the values by which `row` is referred to: which of them is kept must not depend on which
  /// are at hand.
  private func rivals(of row: WorkRow, by key: ForeignKey) throws -> [WorkRow] {
    try buriedParents(likeThatOf: row, key.parentColumns, by: key)
      .filter { rows[$0] == nil }
      .compactMap { try self.row($0) }
      .filter { !$0.isAlive && $0.wish != nil }
  }

  /// The dead rows that `row` means by `key`, where no live row answers the reference.
  private func deadParents(of row: WorkRow, by key: ForeignKey) throws -> [WorkRow] {
    var found = parentsAtHand(of: row, by: key)
    if try found.contains(where: { $0.isAlive }) || hasSettledParent(row, by: key) { return [] }
    // By a collation, or as 1 and 1.0, there may be several; these are not at hand yet.
    for parentKey in try buriedParents(likeThatOf: row, key.childColumns, by: key) where rows[parentKey] == nil {
      if let parent = try self.row(parentKey) { found.append(parent) }
    }
    return found.filter { !$0.isAlive && $0.wish != nil }
  }

  // MARK: - The greatest set

  func decideReferences() throws {
    for row in rows.values { row.isVisible = mayStand(row) }
    var queue = Array(rows.values)
    for row in rows.values where losesChildren(row) { queue += try children(of: row) }
    try settle(&queue)
    // Hiding a kept row may free another; each round hides at least one.
    while true {
      let idle = try idleDead()
      if idle.isEmpty { break }
      var queue: [WorkRow] = []
      for row in idle { row.isVisible = false }
      for row in idle { queue += try children(of: row) }
      try settle(&queue)
    }
  }

  /// The table showed it, and it goes or no longer shows what others refer to.
  private func losesChildren(_ row: WorkRow) -> Bool {
    guard let before = row.before else { return false }
    guard row.isVisible, let wish = row.wish else { return true }
    return schema.references[row.table].contains { key in key.parentColumns.contains { before[$0] != wish[$0] } }
  }

  private func settle(_ queue: inout [WorkRow]) throws {
    while let row = queue.popLast() {
      guard row.isVisible else { continue }
      for key in schema.tables[row.table].foreignKeys where try !isAnswered(key, of: row) {
        if try showsNull(row, for: key) {
          // What it no longer shows, others may refer to.
          if schema.references[row.table].contains(where: { !row.nulled.isDisjoint(with: $0.parentColumns) }) {
            queue += try children(of: row)
          }
          continue
        }
        row.isVisible = false
        if row.isAlive { row.heldReason = .missingParent }
        queue += try children(of: row)
        break
      }
    }
  }

  private func isAnswered(_ key: ForeignKey, of row: WorkRow) throws -> Bool {
    // What other keys show NULL for counts for nothing: which parent falls first must not.
    if row.nulledReferences.contains(key.childColumns) { return true }
    guard row.reference(by: key) != nil else { return true }
    return try parentsAtHand(of: row, by: key).contains { parent in
      parent.isVisible && parent.nulled.isDisjoint(with: key.parentColumns)
    } || hasSettledParent(row, by: key)
  }

  /// Shows NULL instead of a SET NULL reference, where the row may stand so.
  private func showsNull(_ row: WorkRow, for key: ForeignKey) throws -> Bool {
    guard key.onDelete == .setNull else { return false }
    let table = schema.tables[row.table]
    let nulled = key.childColumns.filter { $0 >= table.keyColumns.count }
    guard nulled.count == key.childColumns.count, !nulled.contains(where: { table.allColumns[$0].isNotNull }),
      row.nulledReferences.count < Self.mostNulledReferences
    else { return false }
    if table.needsProbe || !table.computedUniques.isEmpty {
      // With every choice of the others: the outcome must not depend on which parent is missed first.
      for others in row.nulledReferences.subsets {
        guard let shown = row.wish(withNullIn: others.joined() + nulled) else { return false }
        if table.needsProbe, row.before != shown, try access[row.table].probe(shown) != nil { return false }
        if try claimsMore(row, showing: shown) { return false }
      }
    }
    row.showNull(in: nulled)
    return true
  }

  private static let mostNulledReferences = 8

  /// Every row that refers to `row`, taken into this merge.
  private func children(of row: WorkRow) throws -> [WorkRow] {
    var children: [WorkRow] = []
    for key in schema.references[row.table] {
      for childKey in try settledChildren(of: row, by: key) {
        guard let child = try self.row(childKey) else { continue }
        child.isVisible = mayStand(child)
      }
      children += childrenAtHand(of: row, by: key)
      if let before = row.before { children += try shownChildrenAtHand(of: before, by: key) }
    }
    return children
  }

  /// The rows at hand whose table shows a reference to what a parent showed before.
  private func shownChildrenAtHand(of before: [SQLValue], by key: ForeignKey) throws -> [WorkRow] {
    try shownChildren(of: before, by: key).compactMap { rows[$0] }
  }

  /// The dead rows shown that no visible row needs any more.
  private func idleDead() throws -> [WorkRow] {
    let dead = rows.values.filter { $0.isVisible && !$0.isAlive }
    if dead.isEmpty { return [] }
    var needed: Set<RowKey> = []
    var queue = rows.values.filter { $0.isVisible && $0.isAlive }
    for row in dead where try isReferredTo(row) {
      needed.insert(row.key)
      queue.append(row)
    }
    while let row = queue.popLast() {
      for key in schema.tables[row.table].foreignKeys where key.onDelete == .keep {
        for parent in parentsAtHand(of: row, by: key)
        where parent.isVisible && !parent.isAlive && needed.insert(parent.key).inserted {
          queue.append(parent)
        }
      }
    }
    return dead.filter { !needed.contains($0.key) }
  }
}

extension Array {
  /// All choices of its elements, from none to all.
  fileprivate var subsets: [[Element]] { reduce([[]]) { subsets, element in subsets + subsets.map { $0 + [element] } } }
}
