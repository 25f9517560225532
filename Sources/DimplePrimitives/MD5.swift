internal import COpenSSL

/// MD5 (RFC 1321): broken as a hash, and what S3 still calls an object's checksum. For nothing else.
package final class MD5 {
  /// The digest's length in bytes.
  package static let byteCount = 16

  private let context: OpaquePointer

  /// Starts with no bytes; `nil` where libcrypto refuses the algorithm (FIPS mode).
  package init?() {
    guard let context = EVP_MD_CTX_new() else { return nil }
    guard EVP_DigestInit_ex(context, EVP_md5(), nil) == 1 else {
      EVP_MD_CTX_free(context)
      return nil
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes in more bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "libcrypto cannot digest")
  }

  /// The digest of everything taken in; the last call.
  package func finish() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.byteCount) { digest, count in
      precondition(EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1, "libcrypto cannot digest")
      count = Self.byteCount
    }
  }
}
