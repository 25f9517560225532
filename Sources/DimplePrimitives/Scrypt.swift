internal import COpenSSL

/// scrypt (RFC 7914): a key from a password, at a cost in time and memory that the parameters set.
package enum Scrypt {
  /// Derives `count` bytes.
  ///
  /// - Parameters:
  ///   - logN: The cost N as a power of two, 1 to 30. Memory is about 128 · 2^logN · r bytes.
  ///   - maximumMemory: In bytes. Parameters that need more throw instead of taking the memory.
  /// - Throws: ``PrimitiveError/Code/excessiveCost`` above `maximumMemory`, ``PrimitiveError/Code/invalidLength`` for
  ///   parameters outside RFC 7914's ranges, ``PrimitiveError/Code/unavailable`` where the memory is not to be had.
  package static func derive(
    password: some RawBytes, salt: some RawBytes, logN: Int, r: Int, p: Int, count: Int,
    maximumMemory: Int = 1 << 30
  ) throws -> [UInt8] {
    guard (1...30).contains(logN), (1...1 << 10).contains(r), (1...1 << 10).contains(p), (1...1 << 20).contains(count)
    else {
      throw PrimitiveError(.invalidLength, operation: "scrypt", message: "parameters out of range")
    }
    // libcrypto's own sum (providers/implementations/kdfs/scrypt.c): p blocks, N blocks, and two and a bit of scratch.
    let memory = 128 * r * p + 128 * r * (1 << logN) + 32 * r * 4 + 64
    guard memory <= maximumMemory else {
      throw PrimitiveError(
        .excessiveCost, operation: "scrypt", message: "\(memory) bytes of memory needed, \(maximumMemory) allowed")
    }
    return try password.withUnsafeBytes { password in
      try salt.withUnsafeBytes { salt in
        try [UInt8](unsafeUninitializedCapacity: count) { key, initialized in
          let status = EVP_PBE_scrypt(
            password.baseAddress, password.count, salt.baseAddress, salt.count, UInt64(1) << UInt64(logN), UInt64(r),
            UInt64(p), UInt64(memory + 4096), key.baseAddress, count)
          guard status == 1 else {
            throw PrimitiveError(
              .unavailable, operation: "scrypt", message: "\(memory) bytes of memory could not be had")
          }
          initialized = count
        }
      }
    }
  }
}
