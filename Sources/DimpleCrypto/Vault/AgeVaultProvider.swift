public import DimpleRemote

/// Opens or founds an encrypted vault with a passphrase, or with age keys.
///
/// The remote keeps, for anyone to read, `dimple.json`; under `keys/` the vault's key, wrapped; everything else is encrypted to
/// that key. Opening costs a GET, a LIST, a GET per key (normally one) and a passphrase derivation per key.
///
/// Two devices may found at once, with no compare-and-swap to keep them apart. Each then leaves a key under `keys/`, and
/// every vault opened after opens what either sealed; it seals under the key that `dimple.json` names. A device that finds
/// that the other has another passphrase takes its own key back and throws.
public struct AgeVaultProvider: VaultProvider, CustomStringConvertible {
  private let identities: [any AgeIdentity]
  private let recipients: [any AgeRecipient]
  private let vaultID: String?

  /// Work factors that a remote may ask for unless one's own is higher: 1 GiB of memory, about 4 seconds.
  private static let maximumWorkFactor = 20

  /// A vault that opens by passphrase.
  ///
  /// - Parameters:
  ///   - passphrase: Its bytes count as given, without Unicode normalisation or trimming.
  ///   - workFactor: For founding: see ``ScryptRecipient/init(passphrase:workFactor:)``. Below 15 is for tests only.
  public init(passphrase: String, workFactor: Int = ScryptRecipient.defaultWorkFactor) {
    let maximum = max(Self.maximumWorkFactor, workFactor)
    identities = [ScryptIdentity(passphrase: passphrase, maximumWorkFactor: maximum)]
    recipients = [ScryptRecipient(passphrase: passphrase, workFactor: workFactor)]
    vaultID = nil
  }

  /// A vault that opens by age keys.
  ///
  /// - Parameters:
  ///   - identities: Those that may open the vault's key.
  ///   - recipients: For founding: those who shall open it, oneself among them.
  ///   - vaultID: The vault expected, from `Vault.id` on a device that has it. Give it wherever you can: a recipient is public, so
  ///     that the remote's owner could wrap a key of their own for it; with the id, only the vault's own key is taken.
  public init(identities: [any AgeIdentity], recipients: [any AgeRecipient], vaultID: String? = nil) {
    self.identities = identities
    self.recipients = recipients
    self.vaultID = vaultID
  }

  /// Never a secret.
  public var description: String { "AgeVaultProvider" }

  /// Opens the vault of `storage`, or founds one on an empty remote. The result is an ``AgeVault``.
  ///
  /// - Throws: As the protocol says, and `RemoteError.Code.damaged` where objects are there but no key (retryable: a listing may
  ///   be stale). Nothing is written unless founding, or finishing a founding that was cut off.
  public func openVault(on storage: any ObjectStorage) async throws -> any Vault {
    try await openAgeVault(on: storage)
  }

  /// As ``openVault(on:)``, with the type that gives the vault's key.
  public func openAgeVault(on storage: any ObjectStorage) async throws -> AgeVault {
    var slots = VaultKeySlots(on: storage, openedBy: identities)
    let existing = try await VaultManifest.read(from: storage, expecting: .age)
    try existing?.require(.age, on: storage)
    try await slots.collect()
    if slots.isEmpty {
      guard existing == nil else { throw Self.keyGone }
      try await found(&slots, on: storage)
    }
    guard let first = slots.keys.first else { throw refusal(slots) }
    let manifest: VaultManifest
    if let existing {
      manifest = existing
    } else {
      manifest = try await VaultManifest(vault: first.key.id, encryption: .age).settle(on: storage, as: .age)
      try manifest.require(.age, on: storage)
    }
    if slots.key(withID: manifest.vault) == nil { try await slots.collect() }
    guard let key = slots.key(withID: manifest.vault), vaultID == nil || vaultID == key.id else {
      throw refusal(slots)
    }
    let others = vaultID == nil ? slots.keys.map(\.key).filter { $0.id != key.id } : []
    return AgeVault(sealingWith: key, alsoOpening: others)
  }

  /// The key first, then the manifest: whoever sees a manifest may count on a key. What a crash in between leaves, the next
  /// opening finishes.
  private func found(_ slots: inout VaultKeySlots, on storage: any ObjectStorage) async throws {
    guard vaultID == nil else {
      throw RemoteError(
        .notFound, operation: "open the vault",
        message: "The remote \(storage.description) is empty, and a certain vault is expected.",
        hint: "Check bucket and prefix; found a vault without giving an id.")
    }
    for prefix in ["log/", "snap/"] {
      guard try await storage.list(prefix: prefix, after: nil).objects.isEmpty else { throw Self.keyGone }
    }
    let key = try VaultKey(X25519Identity())
    let slot = try VaultManifest.randomID()
    try await slots.add(key, slot: slot, wrappedFor: recipients)
    try await slots.collect()
    guard slots.foreignSlots.isEmpty else {
      try await storage.delete("\(VaultKeySlots.prefix)\(slot).age")
      throw refusal(slots)
    }
  }

  private func refusal(_ slots: VaultKeySlots) -> RemoteError {
    if slots.foreignSlots.isEmpty, vaultID == nil {
      return slots.damagedSlots.isEmpty ? Self.keyGone : Self.keyDamaged(slots.damagedSlots)
    }
    return RemoteError(
      .wrongPassphrase, operation: "open the vault",
      message: vaultID == nil
        ? "The vault's key was not wrapped for this passphrase or these identities."
        : "The remote does not hold the expected vault's key, wrapped for these identities.",
      hint:
        "Check the passphrase, capitals and spaces included; nothing was changed. To start anew, choose an empty prefix."
    )
  }

  private static var keyGone: RemoteError {
    RemoteError(
      .damaged, operation: "open the vault", message: "The remote holds a vault but not its key (keys/).",
      hint: "Sync again in a while; if it stays so, restore keys/ from a backup, or start anew under an empty prefix.",
      isRetryable: true)
  }

  private static func keyDamaged(_ slots: [String]) -> RemoteError {
    RemoteError(
      .damaged, operation: "open the vault",
      message: "What lies under \(slots.joined(separator: ", ")) cannot be read as a vault's key.",
      hint: "Restore it from a backup, or start anew under an empty prefix.")
  }
}
