/// What the running transaction has done to the schema. Gone with the transaction.
struct SchemaChanges {
  /// The schema is not what it was when the transaction began.
  var hasChanged = false
  /// The log has a row of this transaction; known when it is about to commit.
  var hasLogged = false
  /// The schema's version that it leaves, once that is known.
  var version: Int64?
  /// The last row that it added to the record of merges.
  var lastMerge: Int64?
  /// Tables made in this transaction, that a rebuild may put in the place of another.
  var created: Set<Int64> = []
  /// The names that renamed tables had when the transaction began.
  var originalNames: [Int64: SQLName] = [:]
  /// Why a statement could not be followed.
  var failure: Failure?
  /// The schema that the statement under way began with.
  var before: TrackedSchema?
  /// A table about to be dropped, with the copies of it.
  var dropping: Rebuild?
  /// Tables that were dropped, whose name a copy may take.
  var dropped: [SQLName: Rebuild] = [:]

  /// A change of the schema that tracking could not follow.
  struct Failure {
    var error: any Error
    var before: TrackedSchema
  }
}
