extension Queryable {
  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) throws -> E? {
    try withConnection { try $0.find(type, id: id) }
  }

  /// The entity of an id, which must exist.
  ///
  /// - Throws: ``StoreError`` with code `rowNotFound` if there is none.
  public func require<E: Entity>(_ type: E.Type, id: E.ID) throws -> E {
    try find(type, id: id).orThrow(E.notFound(operation: "find"))
  }
}
