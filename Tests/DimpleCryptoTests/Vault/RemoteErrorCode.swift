import DimpleRemote

/// The code of the `RemoteError` that `body` throws; `nil` when it throws none.
func code(_ body: () async throws -> Void) async -> RemoteError.Code? {
  do {
    try await body()
  } catch let error as RemoteError {
    return error.code
  } catch {}
  return nil
}
