/// One step from an older schema to a newer one. Applied once per database, in a transaction.
public struct Migration: Sendable {
  /// Unique among the app's migrations, and never changed once released.
  public let name: String
  /// Of the SQL; a migration in code is known by its name alone.
  let checksum: String
  let body: @Sendable (Connection) throws -> Void

  /// A migration in SQL: one statement or several.
  public init(_ name: String, _ sql: SQL) {
    self.name = name
    checksum = Self.checksum(of: sql.text)
    body = { connection in
      if sql.bindings.isEmpty {
        try connection.script(sql.text)
      } else {
        try connection.execute(sql)
      }
    }
  }

  /// A migration in code.
  public init(_ name: String, _ body: @escaping @Sendable (Connection) throws -> Void) {
    self.name = name
    checksum = ""
    self.body = body
  }

  /// FNV-1a, 64 bits: finds an edit, not an attack.
  private static func checksum(of text: String) -> String {
    let hash = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }
}
