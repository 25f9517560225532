internal import DimpleStore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// What SQL can ask of a UUID of version 7, as text or as 16 bytes. `NULL` gives `NULL`; anything else is an error.
///
/// | | |
/// |---|---|
/// | `uuid7()` | a new one, as text |
/// | `uuid7_time(id)` | when it was made, in Unix milliseconds |
/// | `uuid7_datetime(id)` | the same as text in UTC: `2026-11-23 07:30:00.123` |
/// | `uuid7_blob(id)` | its 16 bytes |
/// | `uuid7_text(id)` | its 36 characters, in lower case |
enum UUIDFunctions {
  static func define(on connection: Connection) throws {
    try connection.createFunction("uuid7", argumentCount: 0, deterministic: false) { call in
      call.setResult(UUIDv7().sqlValue)
    }
    try define("uuid7_time", connection) { .integer($0.milliseconds) }
    try define("uuid7_datetime", connection) { id in
      let value = Date(timeIntervalSince1970: Double(id.milliseconds) / 1000).sqlValue
      // No calendar of four digits has it.
      guard case .text = value else { throw invalid("uuid7_datetime", "The identifier is of a year past 9999.") }
      return value
    }
    try define("uuid7_text", connection) { .text($0.description) }
    try define("uuid7_blob", connection) { id in
      .blob([id.high, id.low].flatMap { half in withUnsafeBytes(of: half.bigEndian) { [UInt8]($0) } })
    }
  }

  private static func define(
    _ name: String, _ connection: Connection, _ body: @escaping (UUIDv7) throws -> SQLValue
  ) throws {
    try connection.createFunction(name, argumentCount: 1, deterministic: true) { call in
      let value = call.value(0)
      if value == .null { return }
      let id: UUIDv7
      do { id = try UUIDv7(sqlValue: value) } catch {
        throw invalid(name, "The argument is no UUID of version 7.")
      }
      call.setResult(try body(id))
    }
  }

  private static func invalid(_ function: String, _ message: String) -> ChangelogError {
    ChangelogError(
      .invalidIdentifier, operation: "call \(function)", message: message,
      hint: "Give it 36 characters with hyphens, or 16 bytes.")
  }
}
