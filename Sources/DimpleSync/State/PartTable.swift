internal import DimplePrimitives
internal import DimpleStore

/// `dimple_part`: parts of large values on their way from a vault into rows; and `dimple_known_part`: which parts a vault has.
struct PartTable {
  static let statements = [
    "CREATE TABLE IF NOT EXISTS dimple_part(hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS dimple_known_part(
      vault TEXT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(vault, hash)) WITHOUT ROWID
    """,
  ]

  let connection: Connection

  func contains(_ hash: [UInt8]) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_part WHERE hash = ?")
    defer { statement.reset() }
    try statement.bind(.blob(hash), at: 1)
    return try statement.step()
  }

  func insert(_ hash: [UInt8], _ bytes: [UInt8]) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_part(hash, bytes) VALUES (?, ?)")
      .run(.blob(hash), .blob(bytes))
  }

  /// Those that no pack on its way to another vault waits for.
  private static let merged = "FROM dimple_part WHERE hash NOT IN (SELECT hash FROM dimple_spool_part)"

  /// Removes those that were merged; all must be, or will be fetched again.
  func removeMerged() throws { try connection.prepare("DELETE \(Self.merged)").run() }

  func hasMerged() throws -> Bool {
    let statement = try connection.prepare("SELECT 1 \(Self.merged) LIMIT 1")
    defer { statement.reset() }
    return try statement.step()
  }

  func bytes(_ hash: [UInt8]) throws -> [UInt8]? {
    let statement = try connection.prepare("SELECT bytes FROM dimple_part WHERE hash = ?")
    defer { statement.reset() }
    try statement.bind(.blob(hash), at: 1)
    return try statement.step() ? statement.bytes(0) : nil
  }

  /// Whether all of a value is here. Each part is what its hash says, but who wrote the reference may have told another size.
  func isWhole(_ reference: BigReference) throws -> Bool {
    let statement = try connection.prepare("SELECT length(bytes) FROM dimple_part WHERE hash = ?")
    defer { statement.reset() }
    var size: Int64 = 0
    for hash in reference.parts {
      statement.reset()
      try statement.bind(.blob(hash), at: 1)
      guard try statement.step() else { return false }
      size += statement.int64(0)
    }
    return size == reference.size
  }

  /// A value from its parts, in packed form; `nil` where it is not whole.
  func packed(_ reference: BigReference) throws -> PackedBytes? {
    guard try isWhole(reference) else { return nil }
    let packed = PackedBytes(isText: reference.kind == .text, size: Int(reference.size))
    try forEachPart(of: reference) { packed.append($0) }
    return packed.isFull ? packed : nil
  }

  /// A value from its parts; `nil` where it is not whole.
  func value(of reference: BigReference) throws -> SQLValue? {
    // First: what a stranger says is not worth the memory.
    guard try isWhole(reference) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(reference.size))
    try forEachPart(of: reference) { bytes.append(contentsOf: $0) }
    return SQLValue(bytes, isText: reference.kind == .text)
  }

  /// Hands over the bytes of a value that is whole.
  private func forEachPart(of reference: BigReference, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    let statement = try connection.prepare("SELECT bytes FROM dimple_part WHERE hash = ?")
    defer { statement.reset() }
    for hash in reference.parts {
      statement.reset()
      try statement.bind(.blob(hash), at: 1)
      while try statement.step() { statement.withBytes(0, body) }
    }
  }

  // MARK: - What vaults have

  func isKnown(_ hash: [UInt8], in vault: String) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_known_part WHERE vault = ? AND hash = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(.blob(hash), at: 2)
    return try statement.step()
  }

  /// Whether the vault is known to have any.
  func knowsAny(in vault: String) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_known_part WHERE vault = ? LIMIT 1")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    return try statement.step()
  }

  func setKnown(_ hash: [UInt8], in vault: String) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_known_part(vault, hash) VALUES (?, ?)")
      .run(.text(vault), .blob(hash))
  }

  /// What is thought to be in a vault is not.
  func forget(_ hash: [UInt8], in vault: String) throws {
    try connection.prepare("DELETE FROM dimple_known_part WHERE vault = ? AND hash = ?")
      .run(.text(vault), .blob(hash))
  }
}
