import DimpleCrypto
import DimpleRemote
import Testing

@Suite("A vault without encryption")
struct ClearVaultTests {
  @Test("It is founded once, leaves objects as they are, and reads its names back")
  func foundAndUse() async throws {
    let storage = TestStorage()
    let vault = try await ClearVaultProvider().openVault(on: storage)
    #expect(storage.keys == ["dimple.json"])
    #expect(try await ClearVaultProvider().openVault(on: storage).id == vault.id)
    #expect(storage.puts == 1)
    #expect(vault.objectExtension == "")
    #expect(try vault.seal([1, 2]) == [1, 2])
    #expect(try vault.open([1, 2]) == [1, 2])
    #expect(try vault.sealName(Array("foobar".utf8)) == "mzxw6ytboi")
    #expect(vault.openName("mzxw6ytboi") == Array("foobar".utf8))
    #expect(vault.openName("README") == nil)
    #expect(vault.isHash(vault.hash([1]), of: [1]))
    #expect(await code { _ = try vault.sealName([UInt8](repeating: 0, count: 129)) } == .invalidKey)
  }

  @Test("It does not open an encrypted vault, nor one whose founding was cut off")
  func encrypted() async throws {
    let storage = TestStorage()
    _ = try await AgeVaultProvider(passphrase: "p", workFactor: 1).openVault(on: storage)
    #expect(await code { _ = try await ClearVaultProvider().openVault(on: storage) } == .encrypted)
    storage["dimple.json"] = nil
    #expect(await code { _ = try await ClearVaultProvider().openVault(on: storage) } == .encrypted)
    #expect(storage.puts == 2)
  }

  @Test("Two that found at once without conditional puts take each other's objects")
  func concurrentFounding() async throws {
    let storage = TestStorage(honoursConditions: false)
    storage.beforePut("dimple.json") { _ = try await ClearVaultProvider().openVault(on: storage) }
    let first = try await ClearVaultProvider().openVault(on: storage)
    let second = try await ClearVaultProvider().openVault(on: storage)
    #expect(first.id == second.id)
    #expect(first.hasID("any other"))
  }

  @Test("Of two that found at once, one of them with encryption, the one without gives way", arguments: [true, false])
  func rivalFounders(honoursConditions: Bool) async throws {
    let storage = TestStorage(honoursConditions: honoursConditions)
    let age = AgeVaultProvider(passphrase: "p", workFactor: 1)
    // The one without has seen an empty remote when the other founds from start to end.
    storage.beforePut("dimple.json") { _ = try await age.openVault(on: storage) }
    #expect(await code { _ = try await ClearVaultProvider().openVault(on: storage) } == .encrypted)
    #expect(await code { _ = try await age.openVault(on: storage) } == nil)
    #expect(await code { _ = try await ClearVaultProvider().openVault(on: storage) } == .encrypted)
  }
}
