internal import DimplePrimitives
internal import DimpleRemote

/// Puts parts of large values into a vault, and gets them.
struct PartStorage {
  static let prefix = "blob/"

  let session: SyncSession

  /// The object that holds the part with this hash.
  func key(of hash: [UInt8]) throws -> String {
    Self.prefix + (try session.vault.sealName(hash)) + session.vault.objectExtension
  }

  /// - Parameter condition: `.none` replaces what is there, where that is damaged.
  func put(_ bytes: [UInt8], hash: [UInt8], condition: PutCondition) async throws {
    do {
      try await session.storage.put(
        key(of: hash), session.vault.seal(Gzip.compress(bytes)), condition: condition)
    } catch let error as RemoteError where error.code == .preconditionFailed {
      // Somebody has put it.
    }
  }

  /// Failures of the far side are thrown; a part that is not there, or not what its name says, is a result.
  func get(_ hash: [UInt8]) async throws -> Result<[UInt8], SyncError> {
    let key = try key(of: hash)
    do {
      // Sealing and folding add little to what cannot be folded.
      let sealed = try await session.storage.get(key, maximumSize: BigReference.partSize * 2)
      let bytes = try Gzip.decompress(session.vault.open(sealed), maximumSize: BigReference.partSize)
      guard SHA256.hash(bytes) == hash else { return .failure(Self.damaged("It is not what its name says.", nil)) }
      return .success(bytes)
    } catch let error as SyncError {
      return .failure(error)
    } catch let error as RemoteError where [.notFound, .damaged, .tooLarge].contains(error.code) {
      return .failure(Self.damaged(error.message, error))
    }
  }

  private static func damaged(_ message: String, _ underlying: (any Error)?) -> SyncError {
    SyncError(
      .damagedObject, operation: "fetch a part of a large value", message: message,
      hint: "The transactions that need it wait. Their author can send it again.", underlying: underlying)
  }
}
