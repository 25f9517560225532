internal import DimpleChangelog
internal import DimplePrimitives

/// The hash chain that makes one replica's log verifiable however it is cut into packs, and whatever a vault leaves out:
/// `chain(0)` is 32 zero bytes, `chain(n) = SHA-256(chain(n-1) + hash of transaction n)`.
enum LogChain {
  static let start = [UInt8](repeating: 0, count: 32)

  static func next(_ chain: [UInt8], _ transactionHash: [UInt8]) -> [UInt8] {
    SHA256.hash(chain + transactionHash)
  }
}

/// A transaction's hash: SHA-256 over its number and time, then each change's ticks and hash, numbers as 8 bytes,
/// big-endian; then the bytes of members that are not known here.
struct TransactionHash {
  private var bytes: [UInt8] = []

  init(number: Int64, time: HybridTime) {
    append(number)
    append(time.rawValue)
  }

  mutating func add(ticks: Int64, hash: [UInt8]) {
    append(ticks)
    bytes += hash
  }

  mutating func add(_ otherMembers: some Collection<UInt8>) { bytes += otherMembers }

  var value: [UInt8] { SHA256.hash(bytes) }

  private mutating func append(_ value: Int64) {
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> Int64(shift))) }
  }
}

/// The hashes of changes: SHA-256 over the table's salt and the change's JSON.
///
/// A vault that leaves a table out shows its changes' hashes alone, and not the salt: without it nobody can find a change
/// by trying.
struct ChangeHash {
  static let saltSize = 16

  private let salt: (String) -> [UInt8]?
  private var known: [[UInt8]: [UInt8]] = [:]
  /// Changes mostly have the same table as the one before.
  private var last: (table: String, salt: [UInt8])?
  private var buffer: [UInt8] = []

  /// For reading: the salts that a pack's header shows.
  init(_ salts: [PackHeader.Salt]) {
    salt = { _ in nil }
    for salt in salts { known[Array(salt.table.utf8)] = salt.salt }
  }

  /// For writing: every table has a salt, the same for ever.
  init(signingKey: [UInt8]) {
    salt = { table in
      let tag = HMACSHA256.authenticate(Array("dimple/v1/salt/\(table)".utf8), key: signingKey)
      return Array(tag.prefix(Self.saltSize))
    }
  }

  /// `nil` for a table without a salt.
  mutating func salt(of table: String) -> [UInt8]? {
    if let last, last.table.hasSameBytes(as: table) { return last.salt }
    let name = Array(table.utf8)
    guard let found = known[name] ?? salt(table) else { return nil }
    known[name] = found
    last = (table, found)
    return found
  }

  /// `nil` for a table without a salt.
  mutating func hash(_ change: ArraySlice<UInt8>, of table: String) -> [UInt8]? {
    guard let salt = salt(of: table) else { return nil }
    buffer.removeAll(keepingCapacity: true)
    buffer += salt
    buffer += change
    return SHA256.hash(buffer)
  }
}
