internal import DimplePrimitives

/// Encrypts a file piece by piece, in constant memory: feed it with ``update(_:into:)``, end with ``finish(into:)``.
///
/// Not for use from several tasks at once.
public final class AgeEncryptor {
  private var sealer: PayloadSealer
  private var armor: ArmorEncoder?
  /// The header and the payload's nonce, until the first output.
  private var prologue: [UInt8]
  private var isFinished = false

  /// Prepares a file for `recipients`; a passphrase costs its scrypt here.
  ///
  /// - Parameters:
  ///   - recipients: Any number of ``X25519Recipient``s, or one ``ScryptRecipient`` alone.
  ///   - armored: Whether to write text (strict PEM) instead of binary.
  /// - Throws: ``AgeError/Code/invalidRecipients``, ``AgeError/Code/unavailable``; what the recipients throw.
  public init(to recipients: [any AgeRecipient], armored: Bool = false) throws {
    do {
      let fileKey = try SecureRandom.bytes(FileKey.byteCount)
      let nonce = try SecureRandom.bytes(PayloadCipher.nonceCount)
      let stanzas = try recipients.flatMap { try $0.wrap(fileKey: fileKey) }
      prologue = try AgeHeader.serialize(stanzas, fileKey: fileKey) + nonce
      sealer = PayloadSealer(try PayloadCipher(fileKey: fileKey, nonce: nonce))
    } catch let error as PrimitiveError {
      throw AgeError.unavailable("encrypt", error)
    }
    armor = armored ? ArmorEncoder() : nil
  }

  /// Takes plaintext of any length and appends what is ready of the file to `output`.
  ///
  /// - Throws: ``AgeError/Code/finished`` after ``finish(into:)``, ``AgeError/Code/unavailable``.
  public func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    try run(into: &output) { emit in try sealer.update(bytes, emit) }
  }

  /// Takes plaintext of any length; returns what is ready of the file. See ``update(_:into:)``.
  public func update(_ bytes: [UInt8]) throws -> [UInt8] {
    var output: [UInt8] = []
    try bytes.withUnsafeBytes { try update($0, into: &output) }
    return output
  }

  /// Appends the rest of the file to `output`; without it the file is worthless.
  ///
  /// - Throws: ``AgeError/Code/finished`` the second time, ``AgeError/Code/unavailable``.
  public func finish(into output: inout [UInt8]) throws {
    try run(into: &output) { emit in try sealer.finish(emit) }
    armor?.finish(into: &output)
    isFinished = true
  }

  /// Returns the rest of the file. See ``finish(into:)``.
  public func finish() throws -> [UInt8] {
    var output: [UInt8] = []
    try finish(into: &output)
    return output
  }

  private func run(into output: inout [UInt8], _ body: ((UnsafeRawBufferPointer) -> Void) throws -> Void) throws {
    guard !isFinished else {
      throw AgeError(.finished, operation: "encrypt", message: "the file was already finished")
    }
    let start = prologue
    prologue = []
    start.withUnsafeBytes { emit($0, into: &output) }
    do {
      try body { chunk in emit(chunk, into: &output) }
    } catch let error as PrimitiveError {
      throw AgeError.unavailable("encrypt", error)
    }
  }

  private func emit(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    if armor == nil {
      output.append(contentsOf: bytes)
    } else {
      armor?.update(bytes, into: &output)
    }
  }
}
