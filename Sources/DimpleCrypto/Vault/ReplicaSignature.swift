internal import DimplePrimitives
internal import DimpleRemote

/// The signatures of both vaults: Ed25519, whether or not objects are encrypted.
enum ReplicaSignature {
  static func makeKey() throws -> [UInt8] { try reporting("make a signing key") { try Ed25519.generate() } }

  static func publicKey(of key: [UInt8]) throws -> [UInt8] {
    try reporting("read a signing key") { try Ed25519.publicKey(of: key) }
  }

  static func sign(_ message: [UInt8], with key: [UInt8]) throws -> [UInt8] {
    try reporting("sign") { try Ed25519.sign(message, seed: key) }
  }

  private static func reporting<Result>(_ operation: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as PrimitiveError {
      throw AgeError(
        error.code == .invalidLength ? .invalidKey : .unavailable, operation: operation, message: error.message,
        underlying: error)
    }
  }
}
