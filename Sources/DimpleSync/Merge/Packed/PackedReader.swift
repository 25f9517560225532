internal import DimpleChangelog
internal import DimpleStore

/// Reads packed bytes in place. Total: whatever the bytes, it ends in a value or in ``SyncError/Code/damagedState``.
struct PackedReader {
  private(set) var position: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ start: UnsafePointer<UInt8>, count: Int) {
    position = start
    end = start + count
  }

  /// An empty buffer is damage: nothing packed is that short.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { throw RowStateCodec.damaged() }
    self.init(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
  }

  var isAtEnd: Bool { position >= end }

  mutating func byte() throws -> UInt8 {
    guard position < end else { throw RowStateCodec.damaged() }
    defer { position += 1 }
    return position.pointee
  }

  mutating func varint() throws -> UInt64 {
    guard position < end else { throw RowStateCodec.damaged() }
    let first = position.pointee
    position += 1
    return first < 0x80 ? UInt64(first) : try varint(after: first)
  }

  private mutating func varint(after first: UInt8) throws -> UInt64 {
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while shift <= 63 {
      guard position < end else { throw RowStateCodec.damaged() }
      let next = position.pointee
      position += 1
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
    throw RowStateCodec.damaged()
  }

  /// Passes over a value.
  mutating func skipValue() throws {
    let tag = try varint()
    let length: UInt64 =
      switch tag {
      case 0: 0
      case 1: 8
      case 2...10: tag - 2
      case 11, 12: 16
      case 16...: (tag - 16) >> 1
      default: throw RowStateCodec.damaged()
      }
    guard length <= UInt64(end - position) else { throw RowStateCodec.damaged() }
    position += Int(length)
  }
}

/// One packed value where it lies.
struct PackedValue {
  var start: UnsafePointer<UInt8>
  var count: Int

  var isNull: Bool { start.pointee == ValueTag.null }

  var isInteger: Bool { start.pointee >= ValueTag.integer && start.pointee <= ValueTag.integer + 8 }

  var value: SQLValue {
    get throws {
      var reader = ByteReader([UInt8](UnsafeBufferPointer(start: start, count: count)))
      do { return try reader.value() } catch is DamagedBytes { throw RowStateCodec.damaged() }
    }
  }

  func isEqual(to other: PackedValue) -> Bool {
    guard count == other.count else { return false }
    for index in 0..<count where start[index] != other.start[index] { return false }
    return true
  }
}

extension Statement {
  /// Binds a packed value without a copy of its bytes: they must stay where they are until the statement has run.
  func bind(borrowed value: PackedValue, at index: Int32) throws {
    var reader = PackedReader(value.start, count: value.count)
    let tag = try reader.varint()
    let content = UnsafeRawBufferPointer(
      start: reader.position, count: value.count - (reader.position - value.start))
    switch tag {
    case UInt64(ValueTag.null): try bindNull(at: index)
    case UInt64(ValueTag.real):
      guard content.count == 8 else { throw RowStateCodec.damaged() }
      try bind(double: Double(bitPattern: content.loadUnaligned(as: UInt64.self).bigEndian), at: index)
    case 2...10: try bind(int64: Self.integer(content), at: index)
    case 11, 12: try bindUUID(content, isUppercase: tag == 12, at: index)
    default:
      if tag & 1 == 0 { try bind(borrowedBlob: content, at: index) } else { try bind(borrowedText: content, at: index) }
    }
  }

  private static func integer(_ content: UnsafeRawBufferPointer) -> Int64 {
    var value: Int64 = content.first.map { $0 >= 0x80 ? -1 : 0 } ?? 0
    for byte in content { value = value << 8 | Int64(byte) }
    return value
  }

  private func bindUUID(_ content: UnsafeRawBufferPointer, isUppercase: Bool, at index: Int32) throws {
    guard content.count == 16 else { throw RowStateCodec.damaged() }
    let uuid = UUIDText(
      high: content.loadUnaligned(as: UInt64.self).bigEndian,
      low: content.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian, isUppercase: isUppercase)
    try withUnsafeTemporaryAllocation(byteCount: 36, alignment: 1) { text in
      uuid.write(to: text)
      try bind(text: UnsafeRawBufferPointer(text), at: index)
    }
  }
}

/// A large value in packed form, filled piece by piece.
final class PackedBytes {
  let start: UnsafeMutablePointer<UInt8>
  /// The bytes that are filled.
  private(set) var count = 0
  private let capacity: Int

  /// - Parameter size: Of the text or blob.
  init(isText: Bool, size: Int) {
    var head = PackedWriter(capacity: 16)
    head.varint((isText ? ValueTag.text : ValueTag.blob) + UInt64(size) << 1)
    capacity = head.count + size
    start = .allocate(capacity: capacity)
    start.update(from: head.start, count: head.count)
    count = head.count
  }

  deinit { start.deallocate() }

  /// Takes no more than there is room for.
  func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count <= capacity - count else { return }
    (start + count).update(from: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    count += bytes.count
  }

  /// Whether all of it is there.
  var isFull: Bool { count == capacity }
}

/// A constant in packed form that stays where it is.
final class PackedConstant {
  private let writer: PackedWriter

  init(_ value: SQLValue) {
    var writer = PackedWriter(capacity: 16)
    writer.value(value)
    self.writer = writer
  }

  /// A column's default; NULL for one that depends on the time.
  convenience init(_ fallback: ColumnDefault) {
    if case .constant(let value) = fallback { self.init(value) } else { self.init(.null) }
  }

  var bytes: UnsafeRawBufferPointer { writer.bytes }
}
