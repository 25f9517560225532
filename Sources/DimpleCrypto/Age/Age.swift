/// The age file format, version 1 (https://age-encryption.org/v1), for bytes in memory.
///
/// Files made here open with the `age` program and the other way round. For files too large for memory use
/// ``AgeEncryptor`` and ``AgeDecryptor``. Everything here is synchronous and safe to call from any thread.
public enum Age {
  /// Encrypts `bytes` to every one of `recipients`.
  ///
  /// - Parameters:
  ///   - recipients: Any number of ``X25519Recipient``s, or one ``ScryptRecipient`` alone.
  ///   - armored: Whether to give text (strict PEM) instead of binary; a third longer.
  /// - Throws: ``AgeError/Code/invalidRecipients``, ``AgeError/Code/unavailable``.
  public static func encrypt(
    _ bytes: [UInt8], to recipients: [any AgeRecipient], armored: Bool = false
  ) throws -> [UInt8] {
    let encryptor = try AgeEncryptor(to: recipients, armored: armored)
    var output: [UInt8] = []
    output.reserveCapacity(
      armored ? bytes.count / 3 * 4 + bytes.count / 48 + 1024 : bytes.count + bytes.count / 4096 + 1024)
    try bytes.withUnsafeBytes { try encryptor.update($0, into: &output) }
    try encryptor.finish(into: &output)
    return output
  }

  /// Decrypts a whole file, binary or armored.
  ///
  /// - Parameter identities: Tried in order until one opens the file.
  /// - Throws: ``AgeError``, and then nothing of the payload is released.
  public static func decrypt(_ bytes: [UInt8], with identities: [any AgeIdentity]) throws -> [UInt8] {
    let decryptor = AgeDecryptor(with: identities)
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    try bytes.withUnsafeBytes { try decryptor.update($0, into: &output) }
    try decryptor.finish(into: &output)
    return output
  }
}
