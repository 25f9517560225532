internal import COpenSSL

/// Comparison whose duration does not depend on the contents.
package enum ConstantTime {
  /// Whether both hold the same bytes. The time depends on the lengths only.
  package static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    first.count == second.count && CRYPTO_memcmp(first, second, first.count) == 0
  }
}
