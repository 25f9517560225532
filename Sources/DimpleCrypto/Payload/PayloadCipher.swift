internal import DimplePrimitives

/// One file's payload cipher: STREAM over ChaCha20-Poly1305, chunk after chunk.
///
/// The nonce is an 11-byte big-endian chunk counter and a byte that is 1 for the last chunk only: a chunk that is moved,
/// dropped or made the last does not authenticate.
final class PayloadCipher {
  /// Lengths in bytes.
  static let nonceCount = 16
  static let chunkCount = 64 * 1024
  static let sealedChunkCount = chunkCount + ChaCha20Poly1305.tagCount

  private let cipher: ChaCha20Poly1305
  private(set) var chunkNumber: UInt64 = 0
  private var scratch = [UInt8](repeating: 0, count: sealedChunkCount)

  /// - Parameter nonce: The 16 bytes at the payload's start, random for each file.
  init(fileKey: [UInt8], nonce: [UInt8]) throws {
    cipher = try ChaCha20Poly1305(key: FileKey.payloadKey(fileKey: fileKey, nonce: nonce))
  }

  /// Seals the next chunk and hands its ciphertext to `body`.
  func seal(_ chunk: UnsafeRawBufferPointer, isLast: Bool, _ body: (UnsafeRawBufferPointer) -> Void) throws {
    let nonce = nonce(isLast: isLast)
    try scratch.withUnsafeMutableBytes { scratch in
      let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(chunk.count + ChaCha20Poly1305.tagCount)])
      try cipher.seal(chunk, nonce: nonce, into: sealed)
      body(UnsafeRawBufferPointer(sealed))
    }
    chunkNumber += 1
  }

  /// Appends the next chunk's plaintext to `output`; returns false, appending nothing, unless it authenticates.
  func open(_ chunk: UnsafeRawBufferPointer, isLast: Bool, into output: inout [UInt8]) throws -> Bool {
    let nonce = nonce(isLast: isLast)
    do {
      try scratch.withUnsafeMutableBytes { scratch in
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(chunk.count - ChaCha20Poly1305.tagCount)])
        try cipher.open(chunk, nonce: nonce, into: plain)
        output.append(contentsOf: UnsafeRawBufferPointer(plain))
      }
    } catch let error as PrimitiveError where error.code == .authenticationFailed {
      return false
    }
    chunkNumber += 1
    return true
  }

  private func nonce(isLast: Bool) -> [UInt8] {
    [0, 0, 0] + withUnsafeBytes(of: chunkNumber.bigEndian, Array.init) + [isLast ? 1 : 0]
  }
}
