internal import COpenSSL

/// ChaCha20-Poly1305 (RFC 8439): authenticated encryption with a 32-byte key and a 12-byte nonce.
///
/// An instance keeps one key's cipher context for many messages; it is not thread-safe. A nonce must never seal twice
/// under one key.
package final class ChaCha20Poly1305 {
  /// Lengths in bytes.
  package static let keyCount = 32
  package static let nonceCount = 12
  package static let tagCount = 16

  private let context: OpaquePointer
  private let key: [UInt8]

  /// Prepares `key`.
  ///
  /// - Throws: ``PrimitiveError/Code/invalidLength`` for a key not of 32 bytes, ``PrimitiveError/Code/unavailable``.
  package init(key: [UInt8]) throws {
    guard key.count == Self.keyCount else {
      throw PrimitiveError(.invalidLength, operation: "ChaCha20-Poly1305", message: "a key of \(key.count) bytes")
    }
    guard let cipher = Algorithms.chaCha20Poly1305, let context = EVP_CIPHER_CTX_new() else {
      throw PrimitiveError(.unavailable, operation: "ChaCha20-Poly1305", message: "libcrypto does not offer it")
    }
    self.context = context
    self.key = key
    guard EVP_CipherInit_ex(context, cipher, nil, nil, nil, 1) == 1,
      dimple_aead_set_nonce_length(context, Int32(Self.nonceCount)) == 1
    else {
      throw PrimitiveError(.unavailable, operation: "ChaCha20-Poly1305", message: "libcrypto refused the cipher")
    }
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Writes the ciphertext and then the 16-byte tag to `output`, which must be 16 bytes longer than `plaintext`.
  ///
  /// - Throws: ``PrimitiveError/Code/invalidLength`` for a nonce or output of another length.
  package func seal(
    _ plaintext: UnsafeRawBufferPointer, nonce: [UInt8], associatedData: [UInt8] = [],
    into output: UnsafeMutableRawBufferPointer
  ) throws {
    guard nonce.count == Self.nonceCount, output.count == plaintext.count + Self.tagCount,
      let start = output.baseAddress
    else {
      throw PrimitiveError(.invalidLength, operation: "ChaCha20-Poly1305 seal", message: "nonce or output length")
    }
    try begin(nonce: nonce, associatedData: associatedData, sealing: true)
    var finalCount: Int32 = 0
    guard run(plaintext, to: start),
      EVP_CipherFinal_ex(context, start.assumingMemoryBound(to: UInt8.self), &finalCount) == 1,
      dimple_aead_get_tag(context, start + plaintext.count, Int32(Self.tagCount)) == 1
    else {
      throw PrimitiveError(.unavailable, operation: "ChaCha20-Poly1305 seal", message: "libcrypto failed")
    }
  }

  /// Writes the plaintext of `sealed` (ciphertext and tag) to `output`, which must be 16 bytes shorter.
  ///
  /// - Throws: ``PrimitiveError/Code/authenticationFailed``, and then `output` is zeroed;
  ///   ``PrimitiveError/Code/invalidLength``.
  package func open(
    _ sealed: UnsafeRawBufferPointer, nonce: [UInt8], associatedData: [UInt8] = [],
    into output: UnsafeMutableRawBufferPointer
  ) throws {
    guard nonce.count == Self.nonceCount, sealed.count >= Self.tagCount,
      output.count == sealed.count - Self.tagCount, let tag = sealed.baseAddress.map({ $0 + output.count })
    else {
      throw PrimitiveError(
        .invalidLength, operation: "ChaCha20-Poly1305 open", message: "nonce, input or output length")
    }
    try begin(nonce: nonce, associatedData: associatedData, sealing: false)
    var scratch: UInt64 = 0
    let authentic = withUnsafeMutableBytes(of: &scratch) { scratch in
      // An empty message has no output address; libcrypto wants one all the same.
      guard let start = output.baseAddress ?? scratch.baseAddress else { return false }
      var finalCount: Int32 = 0
      return run(UnsafeRawBufferPointer(rebasing: sealed.prefix(output.count)), to: start)
        && dimple_aead_set_tag(context, tag, Int32(Self.tagCount)) == 1
        && EVP_CipherFinal_ex(context, start.assumingMemoryBound(to: UInt8.self), &finalCount) == 1
    }
    guard authentic else {
      output.initializeMemory(as: UInt8.self, repeating: 0)
      throw PrimitiveError(
        .authenticationFailed, operation: "ChaCha20-Poly1305 open", message: "the message does not authenticate")
    }
  }

  private func begin(nonce: [UInt8], associatedData: [UInt8], sealing: Bool) throws {
    var count: Int32 = 0
    guard EVP_CipherInit_ex(context, nil, nil, key, nonce, sealing ? 1 : 0) == 1,
      associatedData.isEmpty
        || EVP_CipherUpdate(context, nil, &count, associatedData, Int32(associatedData.count)) == 1
    else {
      throw PrimitiveError(.unavailable, operation: "ChaCha20-Poly1305", message: "libcrypto refused key or nonce")
    }
  }

  private func run(_ input: UnsafeRawBufferPointer, to output: UnsafeMutableRawPointer) -> Bool {
    var done = 0
    while done < input.count {
      // libcrypto counts in Int32; longer messages go in pieces.
      let piece = UnsafeRawBufferPointer(rebasing: input[done..<min(input.count, done + (1 << 30))])
      var written: Int32 = 0
      guard
        EVP_CipherUpdate(
          context, (output + done).assumingMemoryBound(to: UInt8.self), &written,
          piece.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(piece.count)) == 1,
        Int(written) == piece.count
      else { return false }
      done += piece.count
    }
    return true
  }
}

extension ChaCha20Poly1305 {
  /// Ciphertext and tag of one message under a key of its own. Throws as ``seal(_:nonce:associatedData:into:)``.
  package static func seal(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8] = []
  ) throws -> [UInt8] {
    let cipher = try ChaCha20Poly1305(key: key)
    let count = plaintext.count + tagCount
    return try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      try plaintext.withUnsafeBytes {
        try cipher.seal(
          $0, nonce: nonce, associatedData: associatedData,
          into: UnsafeMutableRawBufferPointer(start: output.baseAddress, count: count))
      }
      initialized = count
    }
  }

  /// The plaintext of one message. Throws as ``open(_:nonce:associatedData:into:)``.
  package static func open(
    _ sealed: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8] = []
  ) throws -> [UInt8] {
    let cipher = try ChaCha20Poly1305(key: key)
    let count = max(0, sealed.count - tagCount)
    return try [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      try sealed.withUnsafeBytes {
        try cipher.open(
          $0, nonce: nonce, associatedData: associatedData,
          into: UnsafeMutableRawBufferPointer(start: output.baseAddress, count: count))
      }
      initialized = count
    }
  }
}
