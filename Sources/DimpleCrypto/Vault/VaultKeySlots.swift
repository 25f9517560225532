internal import DimpleRemote
internal import Dispatch

/// The objects `keys/<slot>.age` of a remote, and what could be opened of them.
///
/// Each is an age file around one vault key, an identity's line, wrapped for a passphrase or for recipients. All slots that
/// open contribute their key: two devices that found a vault at once leave two.
struct VaultKeySlots {
  static let prefix = "keys/"
  /// Passphrases to derive and objects to fetch at most: the remote may be hostile.
  static let maximumSlots = 16
  private static let maximumSize = 64 * 1024

  private let storage: any ObjectStorage
  private let identities: [any AgeIdentity]
  private var seen: Set<String> = []
  /// The vault keys found, in order of their slots.
  private(set) var keys: [(slot: String, key: VaultKey)] = []
  /// Slots wrapped for another passphrase or for other recipients.
  private(set) var foreignSlots: [String] = []
  /// Slots that hold no readable vault key.
  private(set) var damagedSlots: [String] = []

  init(on storage: any ObjectStorage, openedBy identities: [any AgeIdentity]) {
    self.storage = storage
    self.identities = identities
  }

  /// Whether no listing showed any slot.
  private(set) var isEmpty = true

  func key(withID id: String) -> VaultKey? { keys.first { $0.key.id == id }?.key }

  /// Lists the remote's slots and opens those not seen before.
  mutating func collect() async throws {
    let page = try await storage.list(prefix: Self.prefix, after: nil)
    for object in page.objects where object.key.hasSuffix(".age") && !seen.contains(object.key) {
      isEmpty = false
      guard seen.count < Self.maximumSlots else { break }
      try Task.checkCancellation()
      try await open(object.key)
    }
    keys.sort { $0.slot < $1.slot }
  }

  /// Wraps a new vault key and stores it.
  mutating func add(_ key: VaultKey, slot: String, wrappedFor recipients: [any AgeRecipient]) async throws {
    let object = "\(Self.prefix)\(slot).age"
    let text = Array((key.identity.secretText + "\n").utf8)
    let wrapped = try await Self.offPool { try Age.encrypt(text, to: recipients) }
    try await storage.put(object, wrapped)
    isEmpty = false
    seen.insert(object)
    keys.append((object, key))
  }

  private mutating func open(_ object: String) async throws {
    let bytes: [UInt8]
    do {
      bytes = try await storage.get(object, maximumSize: Self.maximumSize)
    } catch let error as RemoteError where error.code == .notFound {
      return  // Removed since the listing, or not there yet: a later look may find it.
    } catch let error as RemoteError where error.code == .tooLarge {
      seen.insert(object)
      damagedSlots.append(object)
      return
    }
    seen.insert(object)
    let identities = identities
    do {
      let text = try await Self.offPool { try Age.decrypt(bytes, with: identities) }
      guard let identity = try AgeKeyFile.identities(in: String(decoding: text, as: UTF8.self)).first else { return }
      let key = try VaultKey(identity)
      if self.key(withID: key.id) == nil { keys.append((object, key)) }
    } catch let error as AgeError {
      switch error.code {
      case .unavailable: throw error
      case .noMatchingIdentity, .wrongPassphrase: foreignSlots.append(object)
      default: damagedSlots.append(object)
      }
    }
  }

  /// A passphrase derivation takes a second of one core: not on a thread that other tasks wait for.
  private static func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global(qos: .userInitiated).async { continuation.resume(with: Result(catching: body)) }
    }
  }
}
