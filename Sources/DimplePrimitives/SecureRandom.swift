internal import COpenSSL

/// libcrypto's generator for keys and nonces, seeded by the operating system.
package enum SecureRandom {
  /// `count` unpredictable bytes.
  ///
  /// - Throws: ``PrimitiveError/Code/unavailable`` when the system gives no entropy;
  ///   ``PrimitiveError/Code/invalidLength`` for a negative count or one beyond 2 GiB.
  package static func bytes(_ count: Int) throws -> [UInt8] {
    guard let length = Int32(exactly: count), length >= 0 else {
      throw PrimitiveError(.invalidLength, operation: "random bytes", message: "\(count) bytes were asked for")
    }
    return try [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
      guard count == 0 || RAND_bytes(bytes.baseAddress, length) == 1 else {
        throw PrimitiveError(.unavailable, operation: "random bytes", message: "the system gives no entropy")
      }
      initialized = count
    }
  }
}
