internal import DimpleStore

/// Pass 2: of several rows with the same unique value the earliest stays, the others are held.
extension MergeSession {
  func decideUniqueness() throws {
    let contenders = try gatherContenders()
    var taken: Set<Claim> = []
    for row in contenders.sorted(by: { $0.precedes($1) }) {
      let claims = try self.claims(of: row)
      if claims.contains(where: taken.contains) {
        row.heldReason = .notUnique
      } else {
        taken.formUnion(claims)
      }
    }
  }

  private struct Claim: Hashable {
    var table: Int
    /// The plain ones first, then the computed ones.
    var unique: Int
    var values: MatchKey
  }

  private func claims(of row: WorkRow) throws -> [Claim] {
    let uniques = schema.tables[row.table].uniques
    let plain = uniques.enumerated().compactMap { index, unique -> Claim? in
      if unique.isOfNumbers, !row.hasNumberInKey { return nil }
      return row.match(unique.columns, unique.collations).map { Claim(table: row.table, unique: index, values: $0) }
    }
    return try plain
      + computedKeys(of: row.table, computedValues(of: row)).enumerated().compactMap { index, key in
        key.map { Claim(table: row.table, unique: uniques.count + index, values: $0) }
      }
  }

  /// The rows that may stand, and every shown row that claims a value which one of them claims, and so on.
  private func gatherContenders() throws -> [WorkRow] {
    var contenders = rows.values.filter { mayStand($0) && schema.tables[$0.table].hasUniques }
    var index = 0
    while index < contenders.count {
      let row = contenders[index]
      index += 1
      let uniques = schema.tables[row.table].uniques
      let found = try uniques.flatMap { try shownContenders(with: row, over: $0) } + computedContenders(with: row)
      // One may be found in several indexes.
      for key in found where rows[key] == nil {
        if let other = try self.row(key), mayStand(other) { contenders.append(other) }
      }
    }
    return contenders
  }

  private func shownContenders(with row: WorkRow, over unique: MergeTable.Unique) throws -> [RowKey] {
    guard let wish = row.wish, !unique.isOfNumbers || row.hasNumberInKey else { return [] }
    let values = unique.columns.map { wish[$0] }
    // What the table shows of this row is its own proof: nobody else shown has these values.
    if values.contains(.null) || row.before.map({ before in unique.columns.map { before[$0] } == values }) == true {
      return []
    }
    return try access[row.table].rows(where: unique.columns, equal: values, collations: unique.collations)
      .map { key(of: $0, in: row.table) }
      .filter { rows[$0] == nil }
  }

  // MARK: - Computed indexes

  /// What the row would have in its table's computed indexes.
  func computedValues(of row: WorkRow) throws -> [[SQLValue]] {
    if let known = row.computedValues { return known }
    guard let wish = row.wish, !schema.tables[row.table].computedUniques.isEmpty else { return [] }
    let access = access[row.table]
    let values =
      try row.before == wish ? access.computedValues(ofShown: row.keyValues) : access.computedValues(of: wish)
    row.computedValues = values
    return values
  }

  private func computedKeys(of table: Int, _ values: [[SQLValue]]) -> [MatchKey?] {
    zip(values, schema.tables[table].computedUniques).map { MatchKey($0, $1.collations) }
  }

  private func computedContenders(with row: WorkRow) throws -> [RowKey] {
    if row.before == row.wish { return [] }
    var found: [RowKey] = []
    for (values, index) in zip(try computedValues(of: row), schema.tables[row.table].computedUniques)
    where !values.contains(.null) {
      found += try access[row.table].rows(in: index, having: values).map { key(of: $0, in: row.table) }
    }
    return found.filter { rows[$0] == nil }
  }

  /// Whether the row, showing NULL where it refers to what is not there, would have a unique value that it does not claim:
  /// pass 2 is over then.
  func claimsMore(_ row: WorkRow, showing shown: [SQLValue]) throws -> Bool {
    if schema.tables[row.table].computedUniques.isEmpty { return false }
    let claimed = computedKeys(of: row.table, try computedValues(of: row))
    return zip(computedKeys(of: row.table, try access[row.table].computedValues(of: shown)), claimed).contains {
      $0 != nil && $0 != $1
    }
  }
}
