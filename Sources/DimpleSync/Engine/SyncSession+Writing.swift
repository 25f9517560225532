internal import DimpleRemote
internal import DimpleStore

extension SyncSession {
  /// A write transaction that may touch the tables of sync and of the change log, too.
  func write<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await database.write { connection in try connection.withInternalAccess { try body(connection) } }
  }

  /// Removes a pack that this database knows to be its own from the vault, and with it what is known of it.
  func deleteOwnPack(_ key: String) async throws {
    try await storage.delete(key)
    let id = vault.id
    try await write { try OwnPackTable(vault: id, connection: $0).remove(key) }
  }
}
