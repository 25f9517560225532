internal import DimplePrimitives

/// All that one vault secret gives: the identity of its objects, and the keys for names and hashes.
///
/// ```
/// secret    the 32 bytes of the identity
/// id        HKDF(secret, "dimple/v1/vault id"), 16 bytes in hex; tells nothing of the secret
/// name      base32(tag ‖ record ⊕ keystream)
///           tag        the first 16 bytes of HMAC(name-tag key, record)
///           keystream  HMAC(name-stream key, tag ‖ block number, 4 bytes big-endian), block after block
/// hash      HMAC(hash key, bytes)
/// ```
/// HKDF and HMAC are with SHA-256. The tag authenticates the record and is the keystream's only input: deterministic
/// authenticated encryption after SIV (RFC 5297), from one primitive. Equal records give equal names, and that is all a
/// name tells, but for its length.
struct VaultKey: Sendable {
  /// In bytes: makes names of at most 231 characters, which every file system takes.
  static let maximumRecordCount = 128
  private static let tagCount = 16

  let identity: X25519Identity
  let id: String
  private let nameTagKey: [UInt8]
  private let nameStreamKey: [UInt8]
  private let hashKey: [UInt8]

  init(_ identity: X25519Identity) throws {
    func derive(_ label: String, count: Int = 32) throws -> [UInt8] {
      let info = [UInt8]("dimple/v1/\(label)".utf8)
      return try HKDFSHA256.derive(identity.privateKey, salt: [UInt8](), info: info, count: count)
    }
    self.identity = identity
    id = Hex.encode(try derive("vault id", count: 16))
    nameTagKey = try derive("name tag")
    nameStreamKey = try derive("name stream")
    hashKey = try derive("hash")
  }

  func sealName(_ record: [UInt8]) -> String {
    let tag = tag(of: record)
    return Base32.encode(tag + applyKeystream(to: record[...], tag: tag))
  }

  func openName(_ sealed: [UInt8]) -> [UInt8]? {
    guard sealed.count >= Self.tagCount else { return nil }
    let tag = Array(sealed.prefix(Self.tagCount))
    let record = applyKeystream(to: sealed.dropFirst(Self.tagCount), tag: tag)
    return ConstantTime.areEqual(tag, self.tag(of: record)) ? record : nil
  }

  func hash(_ bytes: [UInt8]) -> [UInt8] { HMACSHA256.authenticate(bytes, key: hashKey) }

  private func tag(of record: [UInt8]) -> [UInt8] {
    Array(HMACSHA256.authenticate(record, key: nameTagKey).prefix(Self.tagCount))
  }

  private func applyKeystream(to bytes: ArraySlice<UInt8>, tag: [UInt8]) -> [UInt8] {
    var result = Array(bytes)
    for start in stride(from: 0, to: result.count, by: HMACSHA256.byteCount) {
      let number = withUnsafeBytes(of: UInt32(start / HMACSHA256.byteCount).bigEndian, Array.init)
      let block = HMACSHA256.authenticate(tag + number, key: nameStreamKey)
      for index in start..<min(start + block.count, result.count) { result[index] ^= block[index - start] }
    }
    return result
  }
}
