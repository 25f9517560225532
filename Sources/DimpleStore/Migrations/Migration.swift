/// One step of a schema's history: named, applied once, in a transaction of its own.
///
/// Once released, a migration is never edited, renamed, moved or removed; a change of mind is a further migration.
public struct Migration: Sendable {
  /// Unique among the database's migrations.
  public let name: String
  /// Tells an edited migration from the one that was applied; of code, only that it is code.
  let checksum: String
  /// Foreign keys are not enforced while it runs, and checked before it is committed.
  let checksForeignKeysAtEnd: Bool
  let apply: @Sendable (Connection) throws -> Void

  /// A migration of one or more statements.
  public init(_ name: String, _ sql: SQL) { self.init(name, checksForeignKeysAtEnd: false, sql) }

  /// A migration in code.
  public init(_ name: String, _ body: @escaping @Sendable (Connection) throws -> Void) {
    self.init(name, checksForeignKeysAtEnd: false, body)
  }

  /// A migration of one or more statements.
  ///
  /// - Parameter checksForeignKeysAtEnd: see the initialiser that takes code.
  public init(_ name: String, checksForeignKeysAtEnd: Bool, _ sql: SQL) {
    self.name = name
    self.checksForeignKeysAtEnd = checksForeignKeysAtEnd
    checksum = "sql:\(Self.hash(sql))"
    apply = { try $0.script(sql) }
  }

  /// A migration in code.
  ///
  /// - Parameter checksForeignKeysAtEnd: do not enforce foreign keys, nor perform their actions, while it runs, but check
  ///   all of them before it is committed: for ``Connection/rebuildTable(_:columns:options:values:)``, which drops a table
  ///   that others refer to. A row left without its parent throws `foreignKeyConstraint`, and nothing is changed.
  public init(
    _ name: String, checksForeignKeysAtEnd: Bool, _ body: @escaping @Sendable (Connection) throws -> Void
  ) {
    self.name = name
    self.checksForeignKeysAtEnd = checksForeignKeysAtEnd
    checksum = "code"
    apply = body
  }

  /// FNV-1a with 64 bits, against mistakes rather than malice: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(_ sql: SQL) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    mix(sql.text.utf8)
    for named in sql.namedBindings { mix(named.name.utf8) }
    for value in sql.bindings + sql.namedBindings.map(\.value) {
      mix(value.typeName.utf8)
      switch value {
      case .null: break
      case .integer(let value): mix(String(value).utf8)
      case .real(let value): mix(String(value.bitPattern).utf8)
      case .text(let text): mix(text.utf8)
      case .blob(let bytes), .invalidText(let bytes): mix(bytes)
      }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
