import COpenSSL

/// ChaCha20-Poly1305 over chunks of 64 KiB by libcrypto, and nothing around it: the floor under age's payload.
package final class OpenSSLCipher {
  private let context: OpaquePointer
  private var output = [UInt8](repeating: 0, count: chunkSize + tagSize)
  private static let chunkSize = 64 << 10
  private static let tagSize = 16

  package init?() {
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    self.context = context
    guard EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), nil, nil, nil, 1) == 1 else { return nil }
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Seals every chunk; how many bytes that were.
  package func seal(_ bytes: [UInt8]) -> Int {
    let key = [UInt8](repeating: 1, count: 32)
    var nonce = [UInt8](repeating: 0, count: 12)
    var sealed = 0
    bytes.withUnsafeBufferPointer { bytes in
      for start in stride(from: 0, to: bytes.count, by: Self.chunkSize) {
        let chunk = bytes[start..<min(start + Self.chunkSize, bytes.count)]
        nonce[0] &+= 1
        var count: Int32 = 0
        guard EVP_CipherInit_ex(context, nil, nil, key, nonce, 1) == 1,
          EVP_CipherUpdate(
            context, &output, &count, UnsafeBufferPointer(rebasing: chunk).baseAddress, Int32(chunk.count)) == 1
        else { return }
        var rest: Int32 = 0
        EVP_CipherFinal_ex(context, &output, &rest)
        dimple_aead_get_tag(context, &output, Int32(Self.tagSize))
        sealed += Int(count)
      }
    }
    return sealed
  }
}
