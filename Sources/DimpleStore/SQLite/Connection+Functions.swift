internal import CSQLite

extension Connection {
  /// Makes a Swift closure callable from SQL, on this connection.
  ///
  /// - Parameters:
  ///   - name: the function's name in SQL; one of the same name and argument count is replaced.
  ///   - argumentCount: -1 takes any number.
  ///   - deterministic: the same arguments always give the same result, so that SQLite may call it less often.
  ///   - body: an error it throws makes the statement fail with code `functionFailed`, and is the `underlying` error.
  package func createFunction(
    _ name: String, argumentCount: Int32 = -1, deterministic: Bool,
    _ body: @escaping (borrowing FunctionCall) throws -> Void
  ) throws {
    let function = Unmanaged.passRetained(Function(connection: self, body: body))
    let flags = SQLITE_UTF8 | (deterministic ? SQLITE_DETERMINISTIC : 0)
    // SQLite calls the destructor also if this call fails.
    let result = sqlite3_create_function_v2(
      handle, name, argumentCount, flags, function.toOpaque(),
      { context, count, arguments in
        guard let data = sqlite3_user_data(context) else { return }
        let function = Unmanaged<Function>.fromOpaque(data).takeUnretainedValue()
        function.call(context, count, arguments)
      }, nil, nil, { data in data.map { Unmanaged<Function>.fromOpaque($0).release() } })
    guard result == SQLITE_OK else { throw error(result, operation: "create function \(name)", sql: nil) }
  }

  /// What SQLite keeps for a function.
  private final class Function {
    /// The connection owns the function by way of SQLite, and outlives it.
    private unowned let connection: Connection
    private let body: (borrowing FunctionCall) throws -> Void

    init(connection: Connection, body: @escaping (borrowing FunctionCall) throws -> Void) {
      self.connection = connection
      self.body = body
    }

    func call(_ context: OpaquePointer?, _ count: Int32, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
      do {
        try body(FunctionCall(context: context, arguments: arguments, count: count))
      } catch {
        connection.functionError = error
        let message = (error as? StoreError)?.message ?? String(describing: error)
        sqlite3_result_error(context, message, Int32(clamping: message.utf8.count))
      }
    }
  }
}
