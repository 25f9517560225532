/// Cuts plaintext into chunks and seals them as they fill.
///
/// Holds back up to one chunk: whether it is the last is known only when more comes, or the end.
struct PayloadSealer {
  private let cipher: PayloadCipher
  private var pending: [UInt8] = []

  init(_ cipher: PayloadCipher) {
    self.cipher = cipher
    pending.reserveCapacity(PayloadCipher.chunkCount)
  }

  /// Takes plaintext; hands each sealed chunk to `emit`.
  mutating func update(_ bytes: UnsafeRawBufferPointer, _ emit: (UnsafeRawBufferPointer) -> Void) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      if pending.count == PayloadCipher.chunkCount {
        try pending.withUnsafeBytes { try cipher.seal($0, isLast: false, emit) }
        pending.removeAll(keepingCapacity: true)
      }
      if pending.isEmpty, rest.count > PayloadCipher.chunkCount {
        let chunk = rest.prefix(PayloadCipher.chunkCount)
        try cipher.seal(UnsafeRawBufferPointer(rebasing: chunk), isLast: false, emit)
        rest = rest[chunk.endIndex...]
      } else {
        let piece = rest.prefix(PayloadCipher.chunkCount - pending.count)
        pending.append(contentsOf: piece)
        rest = rest[piece.endIndex...]
      }
    }
  }

  /// Seals the last chunk, which is empty only if there was no plaintext at all.
  mutating func finish(_ emit: (UnsafeRawBufferPointer) -> Void) throws {
    try pending.withUnsafeBytes { try cipher.seal($0, isLast: true, emit) }
    pending.removeAll()
  }
}
