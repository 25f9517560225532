internal import DimpleCrypto
public import DimpleRemote

/// How a vault is kept from those who can read the bucket.
public struct Encryption: Sendable {
  let provider: any VaultProvider

  /// Everything is encrypted with a key that this passphrase opens; the same passphrase on every device.
  ///
  /// Deriving the key takes about half a second, once per engine.
  public static func passphrase(_ passphrase: String) -> Encryption {
    Encryption(provider: AgeVaultProvider(passphrase: passphrase))
  }

  /// Nothing is encrypted: whoever reads the storage reads the data. Only where that is wanted.
  public static var none: Encryption { Encryption(provider: ClearVaultProvider()) }

  /// A vault of one's own.
  public static func custom(_ provider: any VaultProvider) -> Encryption { Encryption(provider: provider) }
}
