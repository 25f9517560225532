import DimpleCrypto
import OpenSSLPeer

extension Suite {
  /// Encryption, against the cipher alone and against the age program where it is installed (its start included).
  static var crypto: Suite {
    Suite(name: "crypto") { size in
      let benchmarks = try CryptoBenchmarks(size: size)
      return try [benchmarks.encrypt, benchmarks.decrypt(), benchmarks.sealSmall]
    }
  }
}

private struct CryptoBenchmarks {
  private let identity: X25519Identity
  private let plaintext: [UInt8]
  private let mebibytes: Int
  private let program: AgeProgram?

  init(size: Size) throws {
    identity = try X25519Identity()
    mebibytes = size == .full ? 64 : 1
    plaintext = (0..<mebibytes << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    program = try AgeProgram(identity: identity.secretText, recipient: "\(identity.recipient)")
  }

  var encrypt: Benchmark {
    var contenders = [
      Contender(name: Contender.ours) {
        _ = try Age.encrypt(plaintext, to: [identity.recipient])
        return plaintext.count
      },
      cipher,
    ]
    if let program {
      contenders.append(
        Contender(name: "age", prepare: { try program.writeInput(plaintext) }) {
          try program.encrypt()
          return plaintext.count
        })
    }
    return Benchmark(name: "encrypt \(mebibytes) MiB to X25519", unit: "MiB", count: mebibytes, contenders: contenders)
  }

  func decrypt() throws -> Benchmark {
    let file = try Age.encrypt(plaintext, to: [identity.recipient])
    var contenders = [Contender(name: Contender.ours) { try Age.decrypt(file, with: [identity]).count }, cipher]
    if let program {
      contenders.append(
        Contender(name: "age", prepare: { try program.writeInput(file) }) {
          try program.decrypt()
          return plaintext.count
        })
    }
    return Benchmark(
      name: "decrypt \(mebibytes) MiB with X25519", unit: "MiB", count: mebibytes, contenders: contenders)
  }

  var sealSmall: Benchmark {
    let small = Array(plaintext.prefix(1024))
    return Benchmark(
      name: "encrypt 1 KiB to X25519", unit: "file", count: 100,
      contenders: [
        Contender(name: Contender.ours) {
          for _ in 0..<100 { _ = try Age.encrypt(small, to: [identity.recipient]) }
          return 100
        }
      ])
  }

  private var cipher: Contender {
    Contender(name: "OpenSSL") { OpenSSLCipher()?.seal(plaintext) ?? 0 }
  }
}
