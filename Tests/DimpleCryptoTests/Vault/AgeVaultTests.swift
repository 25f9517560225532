import DimpleCrypto
import DimplePrimitives
import DimpleRemote
import Testing

@Suite("What an encrypted vault seals")
struct AgeVaultTests {
  private func makeVault() async throws -> AgeVault {
    try await AgeVaultProvider(passphrase: "p", workFactor: 1).openAgeVault(on: TestStorage())
  }

  @Test("Objects differ each time, open again, and do not open altered or elsewhere")
  func objects() async throws {
    let (vault, other) = (try await makeVault(), try await makeVault())
    for count in [0, 1, 70_000] {
      let plaintext = [UInt8](repeating: 5, count: count)
      let sealed = try vault.seal(plaintext)
      #expect(try vault.seal(plaintext) != sealed)
      #expect(try vault.open(sealed) == plaintext)
      var altered = sealed
      altered[altered.count / 2] ^= 1
      for bytes in [altered, Array(sealed.dropLast()), [], plaintext, sealed + [0]] {
        #expect(#expect(throws: RemoteError.self) { try vault.open(bytes) }?.code == .damaged)
      }
      #expect(#expect(throws: RemoteError.self) { try other.open(sealed) }?.code == .damaged)
    }
  }

  @Test("Names are the same each time, of small letters and digits, and open only here and unaltered")
  func names() async throws {
    let (vault, other) = (try await makeVault(), try await makeVault())
    var seen: Set<String> = []
    for count in 0...128 {
      let record = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 3) }
      let name = try vault.sealName(record)
      #expect(try vault.sealName(record) == name)
      #expect(vault.openName(name) == record)
      #expect(name.utf8.count == ((count + 16) * 8 + 4) / 5)
      #expect(name.utf8.allSatisfy { Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8).contains($0) })
      #expect(other.openName(name) == nil)
      seen.insert(String(name.prefix(26)))
    }
    #expect(seen.count == 129)
    #expect(
      #expect(throws: RemoteError.self) { try vault.sealName([UInt8](repeating: 0, count: 129)) }?.code == .invalidKey)

    let name = try vault.sealName(Array("replica 1, 1 to 9".utf8))
    for index in name.indices {
      var altered = name
      altered.replaceSubrange(index...index, with: name[index] == "a" ? "b" : "a")
      #expect(vault.openName(altered) == nil)
    }
    for foreign in ["", "a", name.uppercased(), name + "a", String(name.dropLast()), "readme", "dimple.json"] {
      #expect(vault.openName(foreign) == nil, "\(foreign)")
    }
  }

  @Test("Similar records have names with nothing in common")
  func nameDiffusion() async throws {
    let vault = try await makeVault()
    let first = Array(try vault.sealName([0, 0, 0, 0, 0, 0, 0, 1]).utf8)
    let second = Array(try vault.sealName([0, 0, 0, 0, 0, 0, 0, 2]).utf8)
    let equal = zip(first, second).filter { $0 == $1 }.count
    #expect(equal < first.count / 2)
  }

  @Test("Hashes and ids depend on the vault's key")
  func hashes() async throws {
    let (vault, other) = (try await makeVault(), try await makeVault())
    #expect(vault.hash([1]).count == 32)
    #expect(vault.hash([1]) == vault.hash([1]))
    #expect(vault.hash([1]) != vault.hash([2]))
    #expect(vault.hash([1]) != other.hash([1]))
    #expect(vault.isHash(vault.hash([1]), of: [1]))
    #expect(vault.isHash(Array(vault.hash([1]).prefix(16)), of: [1]))
    #expect(!vault.isHash(Array(vault.hash([1]).prefix(15)), of: [1]), "too short to mean anything")
    #expect(!vault.isHash(vault.hash([1]) + [0], of: [1]))
    #expect(!vault.isHash(vault.hash([1]), of: [2]))
    #expect(!vault.isHash(other.hash([1]), of: [1]))
    #expect(vault.id != other.id)
    #expect(vault.id.utf8.count == 32)
    #expect(!vault.hasID(other.id))
  }

  /// The expected values were computed from the layout in VaultKey by other means (Python's hmac).
  @Test("Names, hashes and ids stay what they were in earlier releases")
  func pinned() async throws {
    let storage = TestStorage()
    let member = try X25519Identity()
    let key = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"
    storage["keys/0.age"] = try Age.encrypt(Array(key.utf8), to: [member.recipient])
    let vault = try await AgeVaultProvider(identities: [member], recipients: []).openAgeVault(on: storage)
    #expect(vault.id == "bead6d6a1c160dfd861c8b4e7a75cf74")
    #expect(
      try vault.sealName(Array(UInt8(0)..<40))
        == "c5izxatgvokn7okf2bjixkket7ln7y4cc2x4zxm3mkej7mwsmybhe6mtjvefzst6xjnjyqpck3rtwlqy3jito26yrq")
    #expect(
      Hex.encode(vault.hash(Array("dimple".utf8))) == "d7ff7f80f46cae2fa9b52b169cb8295fff04b84d824745848c6191074d9e4bac"
    )
  }

  @Test("Signatures verify for the key that made them")
  func signatures() async throws {
    let vaults: [any Vault] = [try await makeVault(), try await ClearVaultProvider().openVault(on: TestStorage())]
    for vault in vaults {
      let key = try vault.makeSigningKey()
      let publicKey = try vault.publicKey(of: key)
      let signature = try vault.sign([1, 2], with: key)
      #expect(signature.count == 64)
      #expect(vault.verify(signature, of: [1, 2], by: publicKey))
      #expect(!vault.verify(signature, of: [1, 3], by: publicKey))
      #expect(!vault.verify([], of: [1, 2], by: []))
      #expect(#expect(throws: AgeError.self) { try vault.sign([1], with: [1]) }?.code == .invalidKey)
    }
  }
}
