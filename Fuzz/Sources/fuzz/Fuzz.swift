import DimpleChangelog
import DimpleRemote

@testable import DimpleSync

/// libFuzzer's own loop: https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer,
  _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The program's entry, under the name that the package manager links it by; libFuzzer's own `main` has another.
@_cdecl("fuzz_main")
public func main(_ count: CInt, _ arguments: UnsafeMutableRawPointer) -> CInt {
  var (count, arguments) = (count, arguments)
  return runFuzzer(&count, &arguments) { fuzz($0, $1) }
}

/// What libFuzzer calls, again and again: the parsers of the remote format must not trap, and may throw `SyncError` alone.
///
/// The first byte chooses the parser.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = bytes.first else { return 0 }
  let input = bytes.dropFirst()
  do { try parse(input, choice) } catch is SyncError {} catch { fatalError("not this module's error: \(error)") }
  return 0
}

private func parse(_ input: ArraySlice<UInt8>, _ choice: UInt8) throws {
  let name = PackName(record: Array(input.prefix(40)))
  switch choice % 8 {
  case 0:
    let json = try JSONParser.parse(input)
    var writer = JSONWriter()
    writer.value(json)
    let again = try JSONParser.parse(writer.bytes[...])
    precondition(again == json)
  case 1: _ = try PackHeaderCodec.read(input, vault: AnyVault())
  case 2:
    let salts = ["T", "Todo"].map { PackHeader.Salt(table: $0, salt: [UInt8](repeating: 1, count: 16)) }
    var (first, second) = (TransactionReader(salts: salts), TransactionReader(salts: salts))
    let transaction = try first.read(input, number: 1)
    let skimmed = try second.skim(input, number: 1)
    precondition(skimmed.changeCount >= transaction.changes.count)
  case 3:
    _ = try Gzip.decompress(Array(input), maximumSize: 1 << 20)
  case 4:
    let key = try KeyCodec.decode(Array(input))
    precondition(key.isEmpty == input.isEmpty)
  case 5:
    guard let snapshot = SnapshotName(record: Array(input.prefix(37))) else { return }
    precondition(snapshot.record == Array(input.prefix(37)))
    _ = try SnapshotManifestDecoder.decode(Array(input.dropFirst(37)), name: snapshot, vault: AnyVault())
  case 6:
    guard let snapshot = SnapshotName(record: Array(input.prefix(37))) else { return }
    var reader = try SnapshotPartReader(
      Array(input.dropFirst(37)), name: snapshot, latest: HybridTime(rawValue: 1 << 59), vault: AnyVault())
    while try reader.next() != nil {}
  default:
    guard let name else { return }
    precondition(name.record == Array(input.prefix(40)))
    let decoded = try PackDecoder.decode(
      Gzip.compress(Array(input.dropFirst(40))), name: name, vault: AnyVault(), maximumSize: 1 << 20)
    try decoded.forEachTransaction { _, _ in true }
  }
}

/// Believes everything, so that what is behind the signature is reached.
private struct AnyVault: Vault {
  let id = "any"
  let objectExtension = ""
  func seal(_ plaintext: [UInt8]) -> [UInt8] { plaintext }
  func open(_ sealed: [UInt8]) -> [UInt8] { sealed }
  func sealName(_ record: [UInt8]) -> String { "" }
  func openName(_ name: String) -> [UInt8]? { nil }
  func hash(_ bytes: [UInt8]) -> [UInt8] { bytes }
  func isHash(_ hash: [UInt8], of bytes: [UInt8]) -> Bool { true }
  func hasID(_ id: String) -> Bool { true }
  func makeSigningKey() -> [UInt8] { [] }
  func publicKey(of signingKey: [UInt8]) -> [UInt8] { [] }
  func sign(_ message: [UInt8], with signingKey: [UInt8]) -> [UInt8] { [] }
  func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool { true }
}
