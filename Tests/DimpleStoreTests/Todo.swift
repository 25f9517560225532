import DimpleStore

/// The entity of the quick start.
struct Todo: Entity, Equatable {
  var id = UUIDv7()
  var text: String
  var completed = false

  static let migration = Migration(
    "create Todo",
    "CREATE TABLE Todo (id TEXT PRIMARY KEY, text TEXT NOT NULL, completed BOOLEAN NOT NULL DEFAULT 0)")
}

/// The error that an operation throws, if it is the store's.
func storeError(_ body: () throws -> Void) -> StoreError? {
  do {
    try body()
    return nil
  } catch {
    return error as? StoreError
  }
}

/// The error that an operation throws, if it is the store's.
func storeError(_ body: () async throws -> Void) async -> StoreError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? StoreError
  }
}
