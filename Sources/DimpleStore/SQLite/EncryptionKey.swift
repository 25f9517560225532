internal import CSQLite

/// The key of an encrypted database file. Never shown, not even by `print`.
public struct EncryptionKey: Sendable, CustomStringConvertible {
  enum Material: Sendable {
    case passphrase(String)
    case raw([UInt8])
  }
  let material: Material

  /// A passphrase, from which SQLite's encryption derives the key: slowly, on purpose, for each connection.
  public static func passphrase(_ text: String) -> EncryptionKey { EncryptionKey(material: .passphrase(text)) }

  /// The key itself, 32 bytes.
  public static func raw(_ bytes: [UInt8]) -> EncryptionKey { EncryptionKey(material: .raw(bytes)) }

  /// Not the key.
  public var description: String { "EncryptionKey" }

  /// As SQLCipher's `PRAGMA key` takes it: https://www.zetetic.net/sqlcipher/sqlcipher-api/#key
  var literal: String {
    switch material {
    case .passphrase(let text):
      return SQL.quoted(literal: text)
    case .raw(let bytes):
      let digits = Array("0123456789abcdef")
      let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
      return "\"x'" + String(hex) + "'\""
    }
  }
}

extension Connection {
  /// Gives SQLite the file's key. Its text never reaches an error.
  func apply(_ key: EncryptionKey) throws {
    // An SQLite without encryption ignores both pragmas, and would write plain text without a word.
    guard try pragma("cipher_version").isEmpty == false else {
      throw StoreError(
        .unsupportedFeature, operation: "open", message: "This build of SQLite does not encrypt.",
        hint: "Link SQLCipher, or open without Configuration.encryptionKey.")
    }
    let result = sqlite3_exec(handle, "PRAGMA key = \(key.literal)", nil, nil, nil)
    guard result == SQLITE_OK else { throw error(result, operation: "set the key", sql: nil) }
  }
}
