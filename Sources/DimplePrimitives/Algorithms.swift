internal import COpenSSL

/// The algorithms of libcrypto's default provider, looked up once: a look-up costs more than hashing a short message.
///
/// `nil` where the installed libcrypto lacks one (a FIPS-only provider has no ChaCha20-Poly1305); its users then throw.
enum Algorithms {
  nonisolated(unsafe) static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)  // immutable, reference-counted
  nonisolated(unsafe) static let chaCha20Poly1305 = EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)  // immutable, too
}
