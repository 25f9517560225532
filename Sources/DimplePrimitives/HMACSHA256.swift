internal import COpenSSL

/// HMAC (RFC 2104) with SHA-256.
package enum HMACSHA256 {
  /// The tag's length in bytes.
  package static let byteCount = 32

  /// The tag of `message` under `key` (of any length). Compare tags with ``ConstantTime/areEqual(_:_:)``.
  package static func authenticate(_ message: some RawBytes, key: some RawBytes) -> [UInt8] {
    message.withUnsafeBytes { message in
      key.withUnsafeBytes { key in authenticate(message, key: key) }
    }
  }

  /// The tag of `message` under `key` (of any length).
  package static func authenticate(_ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { tag, count in
      // A null key means "the key of the call before" to libcrypto, so an empty one needs an address.
      let result = withUnsafeBytes(of: UInt8(0)) { placeholder in
        HMAC(
          Algorithms.sha256, key.baseAddress ?? placeholder.baseAddress, Int32(key.count), message.baseAddress,
          message.count, tag.baseAddress, nil)
      }
      precondition(result != nil, "libcrypto has no HMAC or no memory")
      count = byteCount
    }
  }
}
