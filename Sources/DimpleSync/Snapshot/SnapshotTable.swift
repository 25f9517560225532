internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleStore

/// What this database knows of a vault's snapshots: `dimple_snapshot(vault, name, value)`.
struct SnapshotTable {
  /// The newest snapshot seen: what it covers decides when the next is due, without asking the vault.
  struct Known: Equatable, Sendable {
    var vector: [ReplicaID: RangeSet64] = [:]
    /// All its parts, in bytes.
    var size: Int64 = 0

    init(vector: [ReplicaID: RangeSet64] = [:], size: Int64 = 0) { (self.vector, self.size) = (vector, size) }

    init(_ manifest: SnapshotManifest) { self.init(vector: manifest.vector, size: manifest.size) }
  }

  /// A snapshot that is being merged, part by part.
  struct Loading: Equatable, Sendable {
    /// The manifest's name.
    var record: [UInt8]
    /// The first part that is not merged.
    var next: Int64
  }

  private enum Name: String { case known, loading, retention, sweep }

  let vault: String
  let connection: Connection

  // MARK: - The newest

  func known() throws -> Known {
    guard case .blob(let bytes) = try value(.known), let json = try? JSONParser.parse(bytes[...]) else {
      return Known()
    }
    return Known(vector: VectorJSON.vector(json["vector"]) ?? [:], size: json["size"]?.integerValue ?? 0)
  }

  func remember(_ known: Known) throws {
    var writer = JSONWriter()
    writer.value(
      .object([
        .init(name: "size", value: .integer(known.size)), .init(name: "vector", value: VectorJSON.json(known.vector)),
      ]))
    try set(.known, .blob(writer.bytes))
  }

  // MARK: - The one on its way

  func loading() throws -> Loading? {
    guard case .blob(let bytes) = try value(.loading), bytes.count > 8 else { return nil }
    let next = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Loading(record: Array(bytes.dropFirst(8)), next: Int64(bitPattern: next))
  }

  func setLoading(_ loading: Loading?) throws {
    guard let loading else {
      try connection.prepare("DELETE FROM dimple_snapshot WHERE vault = ? AND name = ?")
        .run(.text(vault), .text(Name.loading.rawValue))
      return
    }
    let next = withUnsafeBytes(of: loading.next.bigEndian) { [UInt8]($0) }
    try set(.loading, .blob(next + loading.record))
  }

  // MARK: - Retention

  /// When old packs were last looked through, in milliseconds since 1970.
  func retentionCheck() throws -> Int64? { if case .integer(let time) = try value(.retention) { time } else { nil } }

  func setRetentionCheck(_ milliseconds: Int64) throws { try set(.retention, .integer(milliseconds)) }

  /// When parts of large values were last looked through, likewise.
  func lastSweep() throws -> Int64? { if case .integer(let time) = try value(.sweep) { time } else { nil } }

  func setLastSweep(_ milliseconds: Int64) throws { try set(.sweep, .integer(milliseconds)) }

  // MARK: - Rows

  private func value(_ name: Name) throws -> SQLValue? {
    let statement = try connection.prepare("SELECT value FROM dimple_snapshot WHERE vault = ? AND name = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(.text(name.rawValue), at: 2)
    return try statement.step() ? statement.value(0) : nil
  }

  private func set(_ name: Name, _ value: SQLValue) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_snapshot(vault, name, value) VALUES (?, ?, ?)")
      .run(.text(vault), .text(name.rawValue), value)
  }
}
