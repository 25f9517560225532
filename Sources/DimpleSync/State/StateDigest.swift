internal import DimpleChangelog
internal import DimpleStore

/// A sum over all registers of the merged state, of names, keys and stamps: equal on replicas that merged the same changes,
/// whatever order they came in, and brought up to date register by register.
///
/// Two sums of 64 bits each. Without a key: who can write to the vault could make them collide, and gains nothing by it.
/// docs/FORMAT.md has the definition.
struct StateDigest: Hashable, Sendable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  static func += (left: inout StateDigest, right: StateDigest) {
    left.low &+= right.low
    left.high &+= right.high
  }

  static func -= (left: inout StateDigest, right: StateDigest) {
    left.low &-= right.low
    left.high &-= right.high
  }

  static prefix func - (digest: StateDigest) -> StateDigest {
    StateDigest(low: 0 &- digest.low, high: 0 &- digest.high)
  }

  /// 32 hexadecimal digits.
  var hexadecimal: String { [high, low].map(Self.digits).joined() }

  private static func digits(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }

  init?(hexadecimal: String) {
    guard hexadecimal.utf8.count == 32, let high = UInt64(hexadecimal.prefix(16), radix: 16),
      let low = UInt64(hexadecimal.suffix(16), radix: 16)
    else { return nil }
    self.init(low: low, high: high)
    guard self.hexadecimal == hexadecimal else { return nil }
  }
}

/// The hash of which ``StateDigest`` is the sum, in two lanes that differ in where they start.
struct RegisterHash {
  var low: UInt64
  var high: UInt64

  /// What a row's two registers of life have in the place of a column's name.
  static let inserted = RegisterHash(low: 1, high: 1)
  static let deleted = RegisterHash(low: 2, high: 2)

  init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Of a table's or column's name.
  init(name: String) {
    var name = name
    self = name.withUTF8 { utf8 in
      RegisterHash(low: 0x243F_6A88_85A3_08D3, high: 0x1319_8A2E_0370_7344).hashing(UnsafeRawBufferPointer(utf8))
    }
  }

  /// Of a row, from its table's hash and the key's bytes.
  func hashing(_ bytes: UnsafeRawBufferPointer) -> RegisterHash {
    var (low, high) = (low ^ UInt64(bytes.count), high ^ UInt64(bytes.count))
    var offset = 0
    while offset < bytes.count {
      var word: UInt64 = 0
      if bytes.count - offset >= 8 {
        word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      } else {
        for index in offset..<bytes.count { word |= UInt64(bytes[index]) << UInt64(8 * (index - offset)) }
      }
      low = Self.mix(low ^ word)
      high = Self.mix(high ^ word)
      offset += 8
    }
    return RegisterHash(low: Self.mix(low), high: Self.mix(high))
  }

  /// Of a stamp, for all registers that have it.
  static func stamp(time: Int64, replica: UInt64) -> UInt64 { mix(mix(UInt64(bitPattern: time)) ^ replica) }

  /// What one register adds to the digest; `self` is its row's hash, `stamp` of ``stamp(time:replica:)``.
  @inline(__always)
  func digest(of register: RegisterHash, stamp: UInt64) -> StateDigest {
    StateDigest(
      low: Self.mix(Self.mix(low ^ register.low) &+ stamp), high: Self.mix(Self.mix(high ^ register.high) &+ stamp))
  }

  /// Spreads every bit over all: the finalizer of SplitMix64.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// Keeps the digest while a merge works: what it adds up is written once, at the end.
final class DigestKeeper {
  @exclusivity(unchecked) private(set) var change = StateDigest()
  private var names: [Int64: RegisterHash] = [:]

  func add(_ digest: StateDigest) { change += digest }

  func remove(_ digest: StateDigest) { change -= digest }

  /// The hash of a table's or column's name, kept.
  func hash(_ id: Int64, _ table: NameTable) -> RegisterHash {
    if let hash = names[id] { return hash }
    let hash = RegisterHash(name: table.name(id) ?? "")
    names[id] = hash
    return hash
  }

  /// The digest of one row.
  func digest(_ key: RowKey, _ state: RowState, _ names: NameTable) -> StateDigest {
    let row = key.key.withUnsafeBytes { hash(key.table, names).hashing($0) }
    var sum = StateDigest()
    func add(_ register: RegisterHash, _ stamp: Stamp?) {
      // A row that was there before tracking began is nobody's write.
      guard let stamp, stamp != .oldest else { return }
      sum += row.digest(
        of: register, stamp: RegisterHash.stamp(time: stamp.time.rawValue, replica: stamp.replica.rawValue))
    }
    add(.inserted, state.inserted)
    add(.deleted, state.deleted)
    for item in state.cells.items { add(hash(item.column, names), item.cell.stamp) }
    return sum
  }

  /// Writes what was added and removed since the last time.
  func save(_ connection: Connection) throws {
    let isKept = try Self.stored(connection) != nil
    guard change != StateDigest() || !isKept else { return }
    var digest = try Self.stored(connection) ?? StateDigest()
    digest += change
    change = StateDigest()
    try SyncSetting.digest.set(.blob(digest.bytes), connection)
  }

  /// The digest of the whole state; `nil` where it was not kept from the beginning.
  static func stored(_ connection: Connection) throws -> StateDigest? {
    guard case .blob(let bytes) = try SyncSetting.digest.get(connection), bytes.count == 16 else { return nil }
    return bytes.withUnsafeBytes { bytes in
      StateDigest(
        low: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian,
        high: bytes.loadUnaligned(as: UInt64.self).bigEndian)
    }
  }
}

extension MergeSession {
  /// Computes the digest of a database that was merged into before digests were kept.
  func keepDigest() throws {
    guard try DigestKeeper.stored(connection) == nil else { return }
    let statement = try connection.prepare("SELECT DISTINCT tbl FROM dimple_row")
    defer { statement.reset() }
    var tables: [Int64] = []
    while try statement.step() { tables.append(statement.int64(0)) }
    for table in tables {
      try store.forEach(in: table) { store.digest.add(store.digest.digest($0, $1.state, names)) }
    }
    try store.digest.save(connection)
  }
}
