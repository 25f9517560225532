internal import DimpleStore

/// Pass 2: of several rows with the same unique value the earliest stays, the others are held.
extension MergeSession {
  func decideUniqueness() throws {
    let contenders = try gatherContenders()
    var taken: Set<Claim> = []
    for row in contenders.sorted(by: { $0.precedes($1) }) {
      let claims = self.claims(of: row)
      if claims.contains(where: taken.contains) {
        row.heldReason = .notUnique
      } else {
        taken.formUnion(claims)
      }
    }
  }

  private struct Claim: Hashable {
    var table: Int
    var unique: Int
    var values: MatchKey
  }

  private func claims(of row: WorkRow) -> [Claim] {
    schema.tables[row.table].uniques.enumerated().compactMap { index, unique in
      row.match(unique.columns, unique.collations).map { Claim(table: row.table, unique: index, values: $0) }
    }
  }

  /// The rows that may stand, and every shown row that claims a value which one of them claims, and so on.
  private func gatherContenders() throws -> [WorkRow] {
    var contenders = rows.values.filter { mayStand($0) && !schema.tables[$0.table].uniques.isEmpty }
    var index = 0
    while index < contenders.count {
      let row = contenders[index]
      index += 1
      for unique in schema.tables[row.table].uniques {
        for key in try shownContenders(with: row, over: unique) {
          if let other = try self.row(key), mayStand(other) { contenders.append(other) }
        }
      }
    }
    return contenders
  }

  private func shownContenders(with row: WorkRow, over unique: MergeTable.Unique) throws -> [RowKey] {
    guard let wish = row.wish else { return [] }
    let values = unique.columns.map { wish[$0] }
    // What the table shows of this row is its own proof: nobody else shown has these values.
    if values.contains(.null) || row.before.map({ before in unique.columns.map { before[$0] } == values }) == true {
      return []
    }
    return try access[row.table].rows(where: unique.columns, equal: values, unique.collations)
      .map { key(of: $0, in: row.table) }
      .filter { rows[$0] == nil }
  }
}
