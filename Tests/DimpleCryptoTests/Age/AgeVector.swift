import CZlib
import Foundation
import Testing

/// One file of the age project's test vectors (https://age-encryption.org/testkit): lines `key: value`, an empty line,
/// the age file.
struct AgeVector: Sendable, CustomTestStringConvertible {
  let name: String
  let expectation: String
  /// SHA-256 in hex of all plaintext that may be released, before a failure too.
  let payloadHash: String?
  let identities: [String]
  let passphrases: [String]
  let isArmored: Bool
  let file: [UInt8]

  var testDescription: String { name }

  /// The folder beside the package, or the one that DIMPLE_AGE_TESTKIT names.
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["DIMPLE_AGE_TESTKIT"] { return URL(fileURLWithPath: path) }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appendingPathComponent("shared/age-testkit")
  }()

  /// All vectors by name; empty, and loudly so, where the folder is missing.
  static let all: [AgeVector] = {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
      print("SKIPPED: the age test vectors are not at \(folder.path); set DIMPLE_AGE_TESTKIT to their folder.")
      return []
    }
    return names.sorted().compactMap { name in
      (try? Data(contentsOf: folder.appendingPathComponent(name))).flatMap { AgeVector(name: name, Array($0)) }
    }
  }()

  init?(name: String, _ bytes: [UInt8]) {
    let pair = Array("\n\n".utf8)
    guard let border = bytes.indices.first(where: { bytes[$0...].starts(with: pair) }) else { return nil }
    var fields: [String: [String]] = [:]
    for line in String(decoding: bytes[..<border], as: UTF8.self).split(separator: "\n") {
      guard let colon = line.firstRange(of: ": ") else { return nil }
      fields[String(line[..<colon.lowerBound]), default: []].append(String(line[colon.upperBound...]))
    }
    guard let expectation = fields["expect"]?.first else { return nil }
    var file = Array(bytes[(border + 2)...])
    if fields["compressed"] == ["zlib"] {
      guard let inflated = Self.inflate(file) else { return nil }
      file = inflated
    }
    self.name = name
    self.expectation = expectation
    self.file = file
    payloadHash = fields["payload"]?.first
    identities = fields["identity"] ?? []
    passphrases = fields["passphrase"] ?? []
    isArmored = fields["armored"] == ["yes"]
  }

  private static func inflate(_ bytes: [UInt8]) -> [UInt8]? {
    var output = [UInt8](repeating: 0, count: 32 << 20)
    var count = uLongf(output.count)
    guard uncompress(&output, &count, bytes, uLong(bytes.count)) == Z_OK else { return nil }
    return Array(output.prefix(Int(count)))
  }
}
