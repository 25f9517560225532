internal import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  /// 32 bytes.
  public static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let input = Array(bytes)
    return [UInt8](unsafeUninitializedCapacity: 32) { output, count in
      var length: UInt32 = 0
      // Fails only for want of memory, which Swift does not survive either.
      EVP_Digest(input, input.count, output.baseAddress, &length, EVP_sha256(), nil)
      count = Int(length)
    }
  }
}
