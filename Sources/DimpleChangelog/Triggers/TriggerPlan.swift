/// What must be dropped and created so that the triggers are what they should be. Pure.
///
/// Ours must fire before the app's on the same table: an AFTER trigger sees the row as the statement left it, and one of the
/// app's that writes the row again, or ends the statement with RAISE(IGNORE), must find the change logged. SQLite fires the
/// newest trigger first. It does not promise to (https://sqlite.org/lang_createtrigger.html); a test holds it to that.
struct TriggerPlan: Equatable {
  private(set) var drops: [String] = []
  private(set) var creates: [String] = []

  /// - Parameters:
  ///   - wanted: For each tracked table, by its name.
  ///   - present: All triggers of the schema, in the order of their creation.
  init(wanted: [(table: String, sql: TriggerSQL)], present: [SchemaTrigger]) {
    var byTable: [SQLName: [SchemaTrigger]] = [:]
    for trigger in present { byTable[SQLName(trigger.table), default: []].append(trigger) }
    var kept: Set<String> = []
    for (table, sql) in wanted {
      // The last ones on the table, complete and unchanged.
      let last = (byTable[SQLName(table)] ?? []).suffix(sql.triggers.count)
      if last.elementsEqual(sql.triggers, by: { $0.name == $1.name && $0.sql == $1.sql }) {
        kept.formUnion(last.map(\.name))
      } else {
        creates += sql.triggers.map(\.sql)
      }
    }
    drops = present.map(\.name).filter { TriggerSQL.table(ofTrigger: $0) != nil && !kept.contains($0) }
  }
}
