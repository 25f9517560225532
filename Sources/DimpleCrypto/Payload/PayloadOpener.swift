internal import DimplePrimitives

/// Opens a payload as it arrives and releases each chunk as soon as it authenticates.
struct PayloadOpener {
  private enum State {
    /// Collects the 16-byte nonce. Transitions: to chunks.
    case nonce
    /// Transitions: to ended, with a full-length chunk that opens as the last.
    case chunks(PayloadCipher)
    /// Any further byte is an error.
    case ended
  }

  private let fileKey: [UInt8]
  private var state = State.nonce
  private var pending: [UInt8] = []

  init(fileKey: [UInt8]) { self.fileKey = fileKey }

  /// Takes ciphertext; appends what it authenticates to `output`, also before an error.
  mutating func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch state {
      case .nonce:
        take(from: &rest, upTo: PayloadCipher.nonceCount)
        guard pending.count == PayloadCipher.nonceCount else { return }
        state = .chunks(try PayloadCipher(fileKey: fileKey, nonce: pending))
        pending.removeAll()
        pending.reserveCapacity(PayloadCipher.sealedChunkCount)
      case .chunks(let cipher):
        if pending.isEmpty, rest.count >= PayloadCipher.sealedChunkCount {
          let chunk = rest.prefix(PayloadCipher.sealedChunkCount)
          rest = rest[chunk.endIndex...]
          let isLast = try Self.openFull(UnsafeRawBufferPointer(rebasing: chunk), cipher, into: &output)
          if isLast { state = .ended }
        } else {
          take(from: &rest, upTo: PayloadCipher.sealedChunkCount)
          guard pending.count == PayloadCipher.sealedChunkCount else { return }
          let isLast = try pending.withUnsafeBytes { try Self.openFull($0, cipher, into: &output) }
          pending.removeAll(keepingCapacity: true)
          if isLast { state = .ended }
        }
      case .ended:
        throw Self.altered("there are bytes after the payload's end")
      }
    }
  }

  /// Opens the last chunk.
  mutating func finish(into output: inout [UInt8]) throws {
    switch state {
    case .ended: return
    case .nonce: throw Self.truncated
    case .chunks(let cipher):
      guard pending.count >= ChaCha20Poly1305.tagCount else { throw Self.truncated }
      guard pending.count > ChaCha20Poly1305.tagCount || cipher.chunkNumber == 0 else {
        throw Self.altered("the last chunk is empty")
      }
      guard try pending.withUnsafeBytes({ try cipher.open($0, isLast: true, into: &output) }) else {
        throw Self.altered("the last chunk was altered or cut short")
      }
      state = .ended
    }
  }

  /// A chunk of full length is the last one or not; only opening tells.
  private static func openFull(
    _ chunk: UnsafeRawBufferPointer, _ cipher: PayloadCipher, into output: inout [UInt8]
  ) throws -> Bool {
    if try cipher.open(chunk, isLast: false, into: &output) { return false }
    guard try cipher.open(chunk, isLast: true, into: &output) else {
      throw altered("chunk \(cipher.chunkNumber) was altered")
    }
    return true
  }

  private mutating func take(from rest: inout Slice<UnsafeRawBufferPointer>, upTo count: Int) {
    let piece = rest.prefix(count - pending.count)
    pending.append(contentsOf: piece)
    rest = rest[piece.endIndex...]
  }

  private static var truncated: AgeError {
    AgeError(
      .payloadTruncated, operation: "decrypt", message: "the file ends early",
      hint: "Fetch it again; what was decrypted so far is genuine but not all of it.")
  }

  private static func altered(_ message: String) -> AgeError {
    AgeError(
      .payloadAuthenticationFailed, operation: "decrypt", message: message,
      hint: "Fetch the file again; what was decrypted so far is genuine but not all of it.")
  }
}
