import DimpleRemote

@testable import DimpleSync

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
  switch choice % 5 {
  case 0:
    let json = try JSONParser.parse(input)
    var writer = JSONWriter()
    writer.value(json)
    precondition(try JSONParser.parse(writer.bytes[...]) == json)
  case 1: _ = try PackHeaderCodec.read(input, vault: AnyVault())
  case 2:
    let salts = ["T", "Todo"].map { PackHeader.Salt(table: $0, salt: [UInt8](repeating: 1, count: 16)) }
    var (first, second) = (TransactionReader(salts: salts), TransactionReader(salts: salts))
    let transaction = try first.read(input, number: 1)
    precondition(try second.skim(input, number: 1).changeCount >= transaction.changes.count)
  case 3:
    _ = try Gzip.decompress(Array(input), maximumSize: 1 << 20)
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
