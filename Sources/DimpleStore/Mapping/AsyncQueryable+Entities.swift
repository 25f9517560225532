extension AsyncQueryable {
  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) async throws -> E? where E.ID: Sendable {
    try await withConnection { try $0.find(E.self, id: id) }
  }

  /// The entity of an id, which must exist.
  ///
  /// - Throws: ``StoreError`` with code `rowNotFound` if there is none.
  public func require<E: Entity>(_ type: E.Type, id: E.ID) async throws -> E where E.ID: Sendable {
    try await find(type, id: id).orThrow(E.notFound(operation: "find"))
  }
}
