internal import DimpleChangelog
internal import DimpleStore

/// Bytes that grow at the end, in the form of the log's payloads (docs/CHANGELOG_FORMAT.md).
///
/// Addressed by pointer: what is written and read for every row of a merge would spend most of its time in an array's checks.
/// Pointers into it are good until it grows.
struct PackedWriter: ~Copyable {
  private(set) var start: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 256) {
    self.capacity = capacity
    start = .allocate(capacity: capacity)
  }

  deinit { start.deallocate() }

  /// What was written.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  mutating func removeAll() { count = 0 }

  /// Takes back what was written after the first `length` bytes.
  mutating func truncate(to length: Int) { count = min(count, length) }

  private mutating func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    capacity = max(capacity * 2, count + more)
    let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    grown.update(from: start, count: count)
    start.deallocate()
    start = grown
  }

  mutating func byte(_ byte: UInt8) {
    reserve(1)
    start[count] = byte
    count += 1
  }

  /// An unsigned number in groups of seven bits, lowest first.
  mutating func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      start[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      count += 1
      rest >>= 7
    }
    start[count] = UInt8(truncatingIfNeeded: rest)
    count += 1
  }

  mutating func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
    reserve(length)
    (start + count).update(from: bytes, count: length)
    count += length
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    append(base.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  /// Any value, byte by byte what `ByteWriter` makes of it.
  mutating func value(_ value: SQLValue) {
    switch value {
    case .null: byte(ValueTag.null)
    case .integer(let number): integer(number)
    case .real(let number):
      byte(ValueTag.real)
      withUnsafeBytes(of: number.bitPattern.bigEndian) { append($0) }
    case .text(var string): string.withUTF8 { text(UnsafeRawBufferPointer($0)) }
    case .blob(let blob): blob.withUnsafeBytes { self.blob($0) }
    case .invalidText(let bytes): bytes.withUnsafeBytes { text($0) }
    }
  }

  /// The same of a value that was read from JSON.
  mutating func value(_ value: JSONCursor.Scalar) {
    switch value {
    case .null: byte(ValueTag.null)
    case .integer(let number): integer(number)
    case .real(let number): self.value(.real(number) as SQLValue)
    case .text(let bytes): text(bytes)
    }
  }

  /// The shortest big-endian two's complement, none for 0.
  mutating func integer(_ value: Int64) {
    reserve(9)
    let magnitude = value < 0 ? ~value : value
    let length = value == 0 ? 0 : (72 - magnitude.leadingZeroBitCount) / 8
    start[count] = ValueTag.integer + UInt8(truncatingIfNeeded: length)
    var shift = length * 8
    for index in 0..<length {
      shift -= 8
      start[count + 1 + index] = UInt8(truncatingIfNeeded: value >> Int64(shift))
    }
    count += 1 + length
  }

  /// Text by its bytes, whether they are UTF-8 or not; the text of a UUID in 16 bytes.
  mutating func text(_ text: UnsafeRawBufferPointer) {
    if text.count == 36, let uuid = UUIDText(text) {
      byte(uuid.isUppercase ? ValueTag.uppercaseUUID : ValueTag.lowercaseUUID)
      withUnsafeBytes(of: uuid.high.bigEndian) { append($0) }
      withUnsafeBytes(of: uuid.low.bigEndian) { append($0) }
    } else {
      varint(ValueTag.text + UInt64(text.count) << 1)
      append(text)
    }
  }

  mutating func blob(_ blob: UnsafeRawBufferPointer) {
    varint(ValueTag.blob + UInt64(blob.count) << 1)
    append(blob)
  }
}
