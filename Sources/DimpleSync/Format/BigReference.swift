internal import DimplePrimitives
internal import DimpleStore

/// Stands in a change for a value that lies in parts of its own under `blob/`.
struct BigReference: Equatable {
  enum Kind: String {
    case text, blob
  }

  /// In bytes: every part but the last has this size.
  static let partSize = 4 << 20
  /// In bytes: a longer text or blob travels in parts, and no other.
  static let threshold = 1 << 20
  /// In bytes: what SQLite takes in one row, unless it is built otherwise (https://sqlite.org/limits.html), less some room for
  /// the rest of the row.
  static let maximumSize: Int64 = 1_000_000_000 - 1_000_000

  var kind: Kind
  /// In bytes, all parts together.
  var size: Int64
  /// The SHA-256 of each part.
  var parts: [[UInt8]]

  /// To a value's bytes, cut into parts.
  init(_ kind: Kind, _ bytes: UnsafeRawBufferPointer) {
    self.kind = kind
    size = Int64(bytes.count)
    parts = stride(from: 0, to: bytes.count, by: Self.partSize).map { start in
      SHA256.hash(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.partSize, bytes.count)]))
    }
  }

  /// Whether a value travels in parts.
  static func isBig(_ value: SQLValue) -> Bool { byteCount(of: value) > threshold }

  /// Of a text or a blob; of others, 0.
  static func byteCount(of value: SQLValue) -> Int {
    switch value {
    case .text(let text): text.utf8.count
    case .blob(let bytes), .invalidText(let bytes): bytes.count
    default: 0
    }
  }

  /// To a value that travels in parts; `nil` for any other.
  init?(_ value: SQLValue) {
    guard Self.isBig(value) else { return nil }
    switch value {
    case .text(var text): self = text.withUTF8 { Self(.text, UnsafeRawBufferPointer($0)) }
    case .invalidText(let bytes): self = bytes.withUnsafeBytes { Self(.text, $0) }
    case .blob(let bytes): self = bytes.withUnsafeBytes { Self(.blob, $0) }
    default: return nil
    }
  }

  /// Some of the bytes of a text or a blob.
  static func bytes(of value: SQLValue, ofPart index: Int) -> [UInt8] {
    let start = index * partSize
    func part(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
      [UInt8](bytes[min(start, bytes.count)..<min(start + partSize, bytes.count)])
    }
    return switch value {
    case .text(var text): text.withUTF8 { part(UnsafeRawBufferPointer($0)) }
    case .blob(let bytes), .invalidText(let bytes): bytes.withUnsafeBytes(part)
    default: []
    }
  }

  /// `nil` unless size and parts fit together.
  private init?(kind: Kind, size: Int64, parts: [[UInt8]]) {
    guard size > Int64(Self.threshold), size <= Self.maximumSize,
      parts.count == (Int(size) + Self.partSize - 1) / Self.partSize, parts.allSatisfy({ $0.count == SHA256.byteCount })
    else { return nil }
    self.kind = kind
    self.size = size
    self.parts = parts
  }

  /// From what is under the member `big`, which may have members that are not known here; `nil` for what makes no sense.
  init?(_ json: JSON) {
    guard let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)), let size = json["size"]?.integerValue,
      let parts = json["parts"]?.arrayValue
    else { return nil }
    let hashes = parts.compactMap { $0.stringValue.flatMap(Hex.decode) }
    guard hashes.count == parts.count else { return nil }
    self.init(kind: kind, size: size, parts: hashes)
  }

  /// `{"big":{"kind":…,"size":…,"parts":[…]}}`
  var json: JSON {
    let reference = JSON.object([
      .init(name: "kind", value: .string(kind.rawValue)), .init(name: "size", value: .integer(size)),
      .init(name: "parts", value: .array(parts.map { .string(Hex.encode($0)) })),
    ])
    return .object([.init(name: "big", value: reference)])
  }
}
