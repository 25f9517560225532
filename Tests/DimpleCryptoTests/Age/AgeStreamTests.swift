import DimpleCrypto
import Testing

@Suite("Encrypting and decrypting piece by piece")
struct AgeStreamTests {
  static let chunk = 64 * 1024

  private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) } }

  private func pieces(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
  }

  @Test(
    "Lengths around the chunk's border survive, however they are cut", arguments: [false, true],
    [0, 1, 47, 48, 49, chunk - 1, chunk, chunk + 1, 2 * chunk - 1, 2 * chunk, 3 * chunk + 5])
  func lengths(armored: Bool, count: Int) throws {
    let identity = try X25519Identity()
    let plaintext = bytes(count)
    for size in [1_021, Self.chunk, Self.chunk + 16, 1 << 20] {
      let encryptor = try AgeEncryptor(to: [identity.recipient], armored: armored)
      var file: [UInt8] = []
      for piece in pieces(plaintext, of: size) { file += try encryptor.update(piece) }
      file += try encryptor.finish()
      #expect(try Age.decrypt(file, with: [identity]) == plaintext, "encrypted in pieces of \(size)")
      let decryptor = AgeDecryptor(with: [identity])
      var opened: [UInt8] = []
      for piece in pieces(file, of: size) { opened += try decryptor.update(piece) }
      opened += try decryptor.finish()
      #expect(opened == plaintext, "decrypted in pieces of \(size)")
    }
  }

  @Test("The file is 16 bytes longer a chunk, nonce and header apart")
  func overhead() throws {
    let identity = try X25519Identity()
    let empty = try Age.encrypt([], to: [identity.recipient]).count
    #expect(try Age.encrypt(bytes(Self.chunk), to: [identity.recipient]).count == empty + Self.chunk)
    #expect(try Age.encrypt(bytes(Self.chunk + 1), to: [identity.recipient]).count == empty + Self.chunk + 1 + 16)
  }

  @Test("Neither direction holds more than about a chunk back")
  func latency() throws {
    let identity = try X25519Identity()
    let encryptor = try AgeEncryptor(to: [identity.recipient])
    let decryptor = AgeDecryptor(with: [identity])
    var sent = 0
    var received = 0
    for _ in 0..<64 {
      let piece = bytes(10_000)
      sent += piece.count
      received += try decryptor.update(encryptor.update(piece)).count
      #expect(sent - received <= 2 * Self.chunk + 16)
    }
    received += try decryptor.update(encryptor.finish()).count + decryptor.finish().count
    #expect(sent == received)
  }

  @Test("Chunks before an altered one are released, nothing after, and the error stays")
  func alteredChunk() throws {
    let identity = try X25519Identity()
    let plaintext = bytes(4 * Self.chunk)
    var file = try Age.encrypt(plaintext, to: [identity.recipient])
    file[file.count - Self.chunk - 100] ^= 1  // in the third of four chunks
    let decryptor = AgeDecryptor(with: [identity])
    var released: [UInt8] = []
    let first = #expect(throws: AgeError.self) {
      try file.withUnsafeBytes { try decryptor.update($0, into: &released) }
    }
    #expect(first?.code == .payloadAuthenticationFailed)
    #expect(released == Array(plaintext.prefix(2 * Self.chunk)))
    let again = #expect(throws: AgeError.self) { try decryptor.update([0]) }
    #expect(again?.code == .payloadAuthenticationFailed)
    let end = #expect(throws: AgeError.self) { try decryptor.finish() }
    #expect(end?.code == .payloadAuthenticationFailed)
  }

  @Test("A file cut at a chunk's border is told from a whole one")
  func cutAtBorder() throws {
    let identity = try X25519Identity()
    let file = try Age.encrypt(bytes(2 * Self.chunk), to: [identity.recipient])
    let error = #expect(throws: AgeError.self) {
      try Age.decrypt(Array(file.dropLast(Self.chunk + 16)), with: [identity])
    }
    #expect(error?.code == .payloadTruncated)
  }

  @Test("Chunks that change places do not open")
  func swappedChunks() throws {
    let identity = try X25519Identity()
    let file = try Age.encrypt(bytes(3 * Self.chunk), to: [identity.recipient])
    let sealed = Self.chunk + 16
    let start = file.count - 3 * sealed
    let (first, second) = (file[start..<(start + sealed)], file[(start + sealed)..<(start + 2 * sealed)])
    let swapped = file[..<start] + second + first + file[(start + 2 * sealed)...]
    let error = #expect(throws: AgeError.self) { try Age.decrypt(Array(swapped), with: [identity]) }
    #expect(error?.code == .payloadAuthenticationFailed)
  }

  @Test("After the end nothing more is taken")
  func afterTheEnd() throws {
    let identity = try X25519Identity()
    let encryptor = try AgeEncryptor(to: [identity.recipient])
    let file = try encryptor.update([1, 2, 3]) + encryptor.finish()
    #expect(#expect(throws: AgeError.self) { try encryptor.update([4]) }?.code == .finished)
    #expect(#expect(throws: AgeError.self) { try encryptor.finish() }?.code == .finished)
    let decryptor = AgeDecryptor(with: [identity])
    #expect(try decryptor.update(file) + decryptor.finish() == [1, 2, 3])
    #expect(#expect(throws: AgeError.self) { try decryptor.update([4]) }?.code == .finished)
  }
}
