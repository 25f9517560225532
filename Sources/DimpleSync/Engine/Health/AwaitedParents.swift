internal import DimpleStore

/// The dead rows that live ones refer to by a NO ACTION or RESTRICT foreign key and that cannot be shown, because nobody here
/// knows what they held: an older version of the app, in which nothing referred to them, deleted them here.
struct AwaitedParents {
  private let schema: MergeSchema
  private let store: RowStore

  init(_ connection: Connection, _ schema: MergeSchema) throws {
    self.schema = schema
    store = try RowStore(connection)
  }

  func find() throws -> Set<RowKey> {
    // Those without which a row is held.
    let held = try schema.tables.map { try wishes(of: .missingParent, in: $0) }
    // And those that may have the better claim to be shown than one that is kept, as keys that differ in case alone.
    let kept = try schema.tables.map { try wishes(of: .keptByReference, in: $0) }
    var found: Set<RowKey> = []
    for reference in schema.tables.flatMap(\.foreignKeys) where reference.onDelete == .keep {
      let meant =
        held[reference.child].map { wish in reference.childColumns.map { wish[$0] } }
        + kept[reference.parent].map { wish in reference.parentColumns.map { wish[$0] } }
      if !meant.isEmpty { found.formUnion(try parents(meantBy: meant, reference)) }
    }
    return found
  }

  /// The rows of a status, as they should be.
  private func wishes(of status: RowStatus, in table: MergeTable) throws -> [[SQLValue]] {
    try store.unsettled(in: table.id, includingUnknown: false).compactMap { key in
      guard let entry = try store.load(key), entry.status == status else { return nil }
      return entry.state.wish(try KeyCodec.decode(key.key), table)
    }
  }

  private func parents(meantBy meant: [[SQLValue]], _ reference: ForeignKey) throws -> [RowKey] {
    let table = schema.tables[reference.parent]
    if reference.targetsKey, reference.collations.allSatisfy({ $0 == .binary }) {
      return try meant.filter { !$0.contains(.null) }.flatMap { KeyCodec.equalKeys(reference.compared($0)) }
        .map { RowKey(table: table.id, key: $0) }
        .filter { key in
          try store.load(key).map { try isUnknown($0.state, KeyCodec.decode(key.key), table) } ?? false
        }
    }
    let matches = Set(meant.compactMap { MatchKey(reference.compared($0), reference.collations) })
    var found: [RowKey] = []
    try store.forEach(in: table.id) { key, entry in
      let keyValues = try KeyCodec.decode(key.key)
      // Beyond its key, one whose values are not known may have had these.
      let isMeant = !reference.targetsKey || MatchKey(keyValues, reference.collations).map(matches.contains) ?? false
      if try isMeant && isUnknown(entry.state, keyValues, table) { found.append(key) }
    }
    return found
  }

  private func isUnknown(_ state: RowState, _ keyValues: [SQLValue], _ table: MergeTable) throws -> Bool {
    !state.isAlive && state.inserted != nil && keyValues.count == table.keyColumns.count
      && state.wish(keyValues, table) == nil
  }
}
