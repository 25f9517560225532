import DimpleCrypto
import DimpleRemote
import Testing

@Suite("An encrypted vault is founded once and opened by its members only")
struct AgeVaultProviderTests {
  private func provider(_ passphrase: String = "secret") -> AgeVaultProvider {
    AgeVaultProvider(passphrase: passphrase, workFactor: 2)
  }

  /// Whether each can open what the other seals, names, hashes and ids included.
  private func expectUnderstanding(_ first: any Vault, _ second: any Vault) throws {
    for (writer, reader) in [(first, second), (second, first)] {
      #expect(try reader.open(writer.seal([1, 2, 3])) == [1, 2, 3])
      #expect(try reader.openName(writer.sealName([4, 5, 6])) == [4, 5, 6])
      #expect(reader.isHash(writer.hash([7]), of: [7]))
      #expect(reader.hasID(writer.id))
    }
  }

  @Test("Founding writes the key, then the manifest; opening writes nothing")
  func foundAndOpen() async throws {
    let storage = TestStorage()
    let founded = try await provider().openVault(on: storage)
    let slot = try #require(storage.keys.first { $0.hasPrefix("keys/") })
    #expect(storage.keys == ["dimple.json", slot])
    #expect(storage.log.filter { $0.hasPrefix("put") } == ["put \(slot)", "put dimple.json"])
    let manifest = String(decoding: try #require(storage["dimple.json"]), as: UTF8.self)
    #expect(manifest == #"{"format":1,"vault":"\#(founded.id)","encryption":"age"}"# + "\n")

    let opened = try await provider().openVault(on: storage)
    #expect(storage.puts == 2)
    #expect(opened.id == founded.id)
    try expectUnderstanding(founded, opened)
  }

  @Test("Objects and the key under keys/ are plain age files")
  func plainAgeFiles() async throws {
    let storage = TestStorage()
    let vault = try await provider().openAgeVault(on: storage)
    #expect(try Age.decrypt(vault.seal([9]), with: [vault.identity]) == [9])
    let slot = try #require(storage.keys.first { $0.hasPrefix("keys/") })
    let text = try Age.decrypt(#require(storage[slot]), with: [ScryptIdentity(passphrase: "secret")])
    #expect(String(decoding: text, as: UTF8.self) == vault.identity.secretText + "\n")
  }

  @Test("Another passphrase opens nothing and writes nothing")
  func wrongPassphrase() async throws {
    let storage = TestStorage()
    _ = try await provider().openVault(on: storage)
    #expect(await code { _ = try await provider("Secret").openVault(on: storage) } == .wrongPassphrase)
    storage["dimple.json"] = nil
    #expect(await code { _ = try await provider("Secret").openVault(on: storage) } == .wrongPassphrase)
    #expect(storage.puts == 2)
  }

  @Test("A founding that was cut off anywhere is finished by the next opening")
  func cutOffFounding() async throws {
    for failing in 1...2 {
      let storage = TestStorage()
      storage.failPut(failing)
      #expect(await code { _ = try await provider().openVault(on: storage) } == .unreachable)
      storage.failPut(nil)
      let first = try await provider().openVault(on: storage)
      let second = try await provider().openVault(on: storage)
      #expect(storage.keys.count == 2, "one key, one manifest, whatever failed")
      #expect(first.id == second.id)
      try expectUnderstanding(first, second)
    }
  }

  @Test("Two devices that found at once read each other", arguments: [true, false])
  func concurrentFounding(honoursConditions: Bool) async throws {
    let storage = TestStorage(honoursConditions: honoursConditions)
    let other = Box()
    storage.beforePut("keys/") { [provider = provider()] in other.vault = try await provider.openVault(on: storage) }
    let first = try await provider().openVault(on: storage)
    let second = try #require(other.vault)
    #expect(storage.keys.filter { $0.hasPrefix("keys/") }.count == 2)
    // The one that was there first could not know of the later key; from its next opening on it does.
    #expect(first.hasID(second.id))
    #expect(try first.open(second.seal([1])) == [1])
    let reopened = try await provider().openVault(on: storage)
    #expect(reopened.id == first.id)
    try expectUnderstanding(first, reopened)
    #expect(try reopened.open(second.seal([1])) == [1])
    #expect(try reopened.openName(second.sealName([2])) == [2])
    #expect(reopened.isHash(second.hash([3]), of: [3]))
  }

  @Test("Two foundings with every order of the manifests' puts end with one sealing key", arguments: [true, false])
  func manifestRace(honoursConditions: Bool) async throws {
    let storage = TestStorage(honoursConditions: honoursConditions)
    let other = Box()
    // The second founder runs when the first has stored its key but no manifest, from start to end.
    storage.beforePut("dimple.json") { [provider = provider()] in
      other.vault = try await provider.openVault(on: storage)
    }
    let first = try await provider().openVault(on: storage)
    let second = try #require(other.vault)
    try expectUnderstanding(first, second)
    try expectUnderstanding(first, try await provider().openVault(on: storage))
  }

  @Test("Of two founders with different passphrases the later gives way and takes its key back")
  func rivalFounders() async throws {
    let storage = TestStorage()
    let other = Box()
    storage.beforePut("keys/") { [rival = provider("rival")] in other.vault = try await rival.openVault(on: storage) }
    #expect(await code { _ = try await provider().openVault(on: storage) } == .wrongPassphrase)
    #expect(storage.keys.count == 2)
    let reopened = try await provider("rival").openVault(on: storage)
    try expectUnderstanding(reopened, try #require(other.vault))
  }

  @Test("A key that a stale listing hides is waited for, not replaced")
  func staleListing() async throws {
    let storage = TestStorage()
    _ = try await provider().openVault(on: storage)
    let slot = try #require(storage.keys.first { $0.hasPrefix("keys/") })
    storage.hide(slot)
    let error = await #expect(throws: RemoteError.self) { try await provider().openVault(on: storage) }
    #expect(error?.code == .damaged)
    #expect(error?.isRetryable == true)
    storage.showAll()
    _ = try await provider().openVault(on: storage)
    #expect(storage.puts == 2)
  }

  @Test("A lost manifest is written anew; lost keys above a log are reported, not replaced")
  func lostObjects() async throws {
    let storage = TestStorage()
    let founded = try await provider().openVault(on: storage)
    storage["dimple.json"] = nil
    let opened = try await provider().openVault(on: storage)
    #expect(opened.id == founded.id)
    #expect(storage["dimple.json"] != nil)
    for key in storage.keys { storage[key] = nil }
    storage["log/abc.age"] = [1]
    #expect(await code { _ = try await provider().openVault(on: storage) } == .damaged)
    #expect(storage.keys == ["log/abc.age"])
  }

  @Test("A damaged key is told from a wrong passphrase")
  func damagedSlot() async throws {
    let storage = TestStorage()
    _ = try await provider().openVault(on: storage)
    let slot = try #require(storage.keys.first { $0.hasPrefix("keys/") })
    let genuine = try #require(storage[slot])
    for bytes in [Array(genuine.dropLast(3)), [], Array("hello".utf8), [UInt8](repeating: 65, count: 1 << 20)] {
      storage[slot] = bytes
      #expect(await code { _ = try await provider().openVault(on: storage) } == .damaged)
    }
    storage[slot] = try Age.encrypt(Array("no key".utf8), to: [ScryptRecipient(passphrase: "secret", workFactor: 2)])
    #expect(await code { _ = try await provider().openVault(on: storage) } == .damaged)
  }

  @Test("A remote without encryption, from the future, or with a broken manifest is refused")
  func otherManifests() async throws {
    let cases: [(String, RemoteError.Code)] = [
      (#"{"format":1,"vault":"x","encryption":"none"}"#, .notEncrypted),
      (#"{"format":2,"vault":{"new":"shape"}}"#, .unsupportedVersion),
      (#"{"format":1,"vault":"x","encryption":"rot13"}"#, .unsupportedVersion),
      (#"{"format":0,"vault":"x","encryption":"age"}"#, .damaged),
      (#"{"format":1,"encryption":"age"}"#, .damaged),
      (#"{"format":1,"vault":"","encryption":"age"}"#, .damaged),
      ("", .damaged), ("<html>", .damaged), (String(repeating: " ", count: 1 << 20), .damaged),
    ]
    for (text, expected) in cases {
      let storage = TestStorage()
      storage["dimple.json"] = Array(text.utf8)
      #expect(await code { _ = try await provider().openVault(on: storage) } == expected, "\(text.prefix(50))")
      #expect(storage.puts == 0)
    }
  }

  @Test("What helps against a broken manifest depends on whether the vault's id is only there")
  func hintForABrokenManifest() async throws {
    let storage = TestStorage()
    storage["dimple.json"] = [1]
    let ofAge = await #expect(throws: RemoteError.self) { try await provider().openVault(on: storage) }
    #expect(ofAge?.hint.contains("or remove it") == true)
    let ofClear = await #expect(throws: RemoteError.self) { try await ClearVaultProvider().openVault(on: storage) }
    #expect(ofClear?.hint.contains("Do not remove it") == true)
    for error in [ofAge, ofClear] { #expect(error?.message == "It is not the JSON expected.") }
  }

  @Test("A remote that offers many keys, or costly ones, costs little")
  func hostileSlots() async throws {
    let storage = TestStorage()
    _ = try await provider("theirs").openVault(on: storage)
    let slot = try #require(storage.keys.first { $0.hasPrefix("keys/") })
    for number in 0..<100 { storage["keys/\(number).age"] = storage[slot] }
    #expect(await code { _ = try await provider().openVault(on: storage) } == .wrongPassphrase)
    #expect(storage.log.filter { $0.hasPrefix("get keys/") }.count <= 1 + 16)

    let costly = TestStorage()
    let header =
      "age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 22\nqW9eVsT0NVb/Vswtw8kPIxUnaYmm9Px1dYmq2+4+qZA\n"
    costly["keys/a.age"] = Array((header + "--- 38TpQMxQRRNMfmYYpBX6DDrPx4/QY5UmJnhPyVoX/cw\n").utf8)
    #expect(await code { _ = try await provider().openVault(on: costly) } == .damaged)
  }

  @Test("Other people's keys beside one's own do not matter")
  func foreignSlotBeside() async throws {
    let storage = TestStorage()
    let founded = try await provider().openVault(on: storage)
    let stranger = try X25519Identity()
    storage["keys/0.age"] = try Age.encrypt(Array(stranger.secretText.utf8), to: [stranger.recipient])
    storage["keys/1.txt"] = [1]
    try expectUnderstanding(founded, try await provider().openVault(on: storage))
  }

  @Test("Members open by their own keys; a stranger does not")
  func recipients() async throws {
    let storage = TestStorage()
    let (alice, bob) = (try X25519Identity(), try X25519Identity())
    let everyone = [alice.recipient, bob.recipient]
    let founded = try await AgeVaultProvider(identities: [alice], recipients: everyone).openVault(on: storage)
    let bobs = AgeVaultProvider(identities: [bob], recipients: everyone)
    try expectUnderstanding(founded, try await bobs.openVault(on: storage))
    let eve = AgeVaultProvider(identities: [try X25519Identity()], recipients: everyone)
    #expect(await code { _ = try await eve.openVault(on: storage) } == .wrongPassphrase)
  }

  @Test("With the vault's id given, a key planted for one's public recipient is not taken")
  func plantedKey() async throws {
    let storage = TestStorage()
    let alice = try X25519Identity()
    let founded = try await AgeVaultProvider(identities: [alice], recipients: [alice.recipient]).openVault(on: storage)
    // The owner founds a vault of their own for Alice, elsewhere, and swaps its objects in.
    let elsewhere = TestStorage()
    let owner = try X25519Identity()
    _ = try await AgeVaultProvider(identities: [owner, alice], recipients: [owner.recipient, alice.recipient])
      .openVault(on: elsewhere)
    for key in elsewhere.keys { storage[key] = elsewhere[key] }
    let careful = AgeVaultProvider(identities: [alice], recipients: [alice.recipient], vaultID: founded.id)
    #expect(await code { _ = try await careful.openVault(on: storage) } == .wrongPassphrase)
    #expect(await code { _ = try await careful.openVault(on: TestStorage()) } == .notFound)
  }
}

/// Carries a vault out of a closure.
private final class Box: @unchecked Sendable {  // written before, and read after, the one await that runs the closure
  var vault: (any Vault)?
}
