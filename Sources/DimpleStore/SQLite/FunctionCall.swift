internal import CSQLite

/// One call of an application-defined SQL function: its arguments, and where its result goes. Valid during the call only.
package struct FunctionCall {
  fileprivate let context: OpaquePointer?
  fileprivate let arguments: UnsafeMutablePointer<OpaquePointer?>?
  package let argumentCount: Int

  private func argument(_ index: Int) -> OpaquePointer? { index < argumentCount ? arguments?[index] : nil }

  /// An argument's storage class; that of an argument that was not given is `.null`.
  package func storageClass(_ index: Int) -> StorageClass {
    guard let value = argument(index) else { return .null }
    return switch sqlite3_value_type(value) {
    case SQLITE_INTEGER: .integer
    case SQLITE_FLOAT: .real
    case SQLITE_TEXT: .text
    case SQLITE_BLOB: .blob
    default: .null
    }
  }

  package func int64(_ index: Int) -> Int64 { argument(index).map { sqlite3_value_int64($0) } ?? 0 }

  package func double(_ index: Int) -> Double { argument(index).map { sqlite3_value_double($0) } ?? 0 }

  /// The bytes of a blob or text; none for an argument that was not given.
  package func withBytes<T>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    guard let value = argument(index) else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let start = sqlite3_value_blob(value)
    return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value))))
  }

  /// The argument without loss.
  package func value(_ index: Int) -> SQLValue {
    switch storageClass(index) {
    case .null: .null
    case .integer: .integer(int64(index))
    case .real: .real(double(index))
    case .text: withBytes(index) { SQLValue(textBytes: $0) }
    case .blob: .blob(withBytes(index) { Array($0) })
    }
  }

  /// The function's result; NULL if none is set.
  package func setResult(_ value: SQLValue) {
    switch value {
    case .null: sqlite3_result_null(context)
    case .integer(let value): sqlite3_result_int64(context, value)
    case .real(let value): sqlite3_result_double(context, value)
    case .text(var text):
      text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
          sqlite3_result_text64(
            context, $0.baseAddress, UInt64($0.count), dimple_sqlite_transient(), UInt8(SQLITE_UTF8))
        }
      }
    case .blob(let bytes), .invalidText(let bytes):
      bytes.withUnsafeBytes { setResult(bytes: $0) }
    }
  }

  package func setResult(bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty {
      sqlite3_result_zeroblob(context, 0)
    } else {
      sqlite3_result_blob64(context, bytes.baseAddress, UInt64(bytes.count), dimple_sqlite_transient())
    }
  }
}

/// The five kinds of value that SQLite stores: https://sqlite.org/datatype3.html.
package enum StorageClass: Sendable {
  case null, integer, real, text, blob
}

extension Connection {
  /// Defines an SQL function on this connection. What `body` throws becomes the error of the statement that calls it.
  ///
  /// - Parameter argumentCount: -1 for any number.
  package func createFunction(
    _ name: String, argumentCount: Int32 = -1, deterministic: Bool, _ body: @escaping (FunctionCall) throws -> Void
  ) throws {
    let flags = SQLITE_UTF8 | (deterministic ? SQLITE_DETERMINISTIC : 0)
    let box = Unmanaged.passRetained(FunctionBox(body)).toOpaque()
    let code = sqlite3_create_function_v2(
      handle, name, argumentCount, flags, box,
      { context, count, arguments in
        guard let pointer = sqlite3_user_data(context) else { return }
        let call = FunctionCall(context: context, arguments: arguments, argumentCount: Int(count))
        do { try Unmanaged<FunctionBox>.fromOpaque(pointer).takeUnretainedValue().body(call) } catch {
          sqlite3_result_error(context, "\(error)", -1)
        }
      }, nil, nil,
      { pointer in if let pointer { Unmanaged<FunctionBox>.fromOpaque(pointer).release() } })
    guard code == SQLITE_OK else { throw error(code, "define the function \(name)", sql: nil) }
  }
}

private final class FunctionBox {
  let body: (FunctionCall) throws -> Void
  init(_ body: @escaping (FunctionCall) throws -> Void) { self.body = body }
}
