internal import COpenSSL

/// SHA-256 (FIPS 180-4), in one call or piece by piece.
///
/// A value: a copy goes on from the same state on its own. libcrypto can fail here only for want of memory or of the
/// algorithm itself, which traps as running out of memory does anywhere in Swift.
package struct SHA256: Sendable {
  /// The digest's length in bytes.
  package static let byteCount = 32

  private var state = DigestState()

  /// Starts with no bytes.
  package init() {}

  /// Takes in more bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if !isKnownUniquelyReferenced(&state) { state = state.copy() }
    state.update(bytes)
  }

  /// Takes in more bytes.
  package mutating func update(_ bytes: some RawBytes) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of everything taken in so far; more may follow.
  package func finalize() -> [UInt8] { state.copy().finish() }

  /// The digest of `bytes`.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { digest, count in
      let status = EVP_Digest(bytes.baseAddress, bytes.count, digest.baseAddress, nil, Algorithms.sha256, nil)
      precondition(status == 1, "libcrypto has no SHA-256 or no memory")
      count = byteCount
    }
  }

  /// The digest of `bytes`.
  package static func hash(_ bytes: some RawBytes) -> [UInt8] {
    bytes.withUnsafeBytes { hash($0) }
  }
}

/// An EVP_MD_CTX in the middle of a SHA-256.
private final class DigestState: @unchecked Sendable {  // SHA256 changes one only while it is the sole owner
  private let context: OpaquePointer?

  init() {
    context = EVP_MD_CTX_new()
    precondition(EVP_DigestInit_ex(context, Algorithms.sha256, nil) == 1, "libcrypto has no SHA-256 or no memory")
  }

  private init(copying other: DigestState) {
    context = EVP_MD_CTX_new()
    precondition(EVP_MD_CTX_copy_ex(context, other.context) == 1, "libcrypto has no memory")
  }

  deinit { EVP_MD_CTX_free(context) }

  func copy() -> DigestState { DigestState(copying: self) }

  func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "libcrypto cannot digest")
  }

  func finish() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { digest, count in
      precondition(EVP_DigestFinal_ex(context, digest.baseAddress, nil) == 1, "libcrypto cannot digest")
      count = SHA256.byteCount
    }
  }
}
