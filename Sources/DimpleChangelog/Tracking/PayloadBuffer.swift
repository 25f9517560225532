internal import DimpleStore

/// Changes being packed, in memory that is used again for every row: what ``ByteWriter`` writes, for arguments where SQLite
/// keeps them. Copies share the memory.
struct PayloadBuffer {
  /// Room before the bytes, for what is known only when the last of them is: ``withHead(_:replacing:_:)``.
  static let headroom = 24

  private final class Memory: @unchecked Sendable {  // the recorder's own, under its lock
    let start: UnsafeMutablePointer<UInt8>
    let capacity: Int

    init(capacity: Int) {
      self.capacity = capacity
      start = .allocate(capacity: PayloadBuffer.headroom + capacity) + PayloadBuffer.headroom
    }

    deinit { (start - PayloadBuffer.headroom).deallocate() }
  }

  private var memory = Memory(capacity: 1024)
  private(set) var count = 0

  /// Valid until something is appended.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.start, count: count) }

  /// Forgets what comes after the first `count` bytes, and keeps the memory.
  mutating func truncate(to count: Int) { self.count = min(count, self.count) }

  /// Forgets the contents and keeps the memory, unless that is much.
  mutating func removeAll(keeping capacity: Int = .max) {
    count = 0
    if memory.capacity > capacity { memory = Memory(capacity: 1024) }
  }

  /// Calls `body` with the bytes, the first `replaced` of them replaced by a head of at most ``headroom`` bytes more; then
  /// all is as it was.
  func withHead<T>(_ head: [UInt8], replacing replaced: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T
  {
    let old = (0..<replaced).map { memory.start[$0] }
    let start = memory.start + replaced - head.count
    for (place, byte) in head.enumerated() { start[place] = byte }
    defer { for (place, byte) in old.enumerated() { memory.start[place] = byte } }
    return try body(UnsafeRawBufferPointer(start: start, count: head.count + count - replaced))
  }

  /// Makes room for `extra` more bytes, and says where they go.
  private mutating func room(_ extra: Int) -> UnsafeMutablePointer<UInt8> {
    if memory.capacity - count < extra { grow(extra) }
    return memory.start + count
  }

  private mutating func grow(_ extra: Int) {
    let larger = Memory(capacity: max(2 * memory.capacity, count + extra))
    larger.start.update(from: memory.start, count: count)
    memory = larger
  }

  mutating func byte(_ byte: UInt8) {
    room(1).pointee = byte
    count += 1
  }

  mutating func varint(_ value: UInt64) {
    if value < 0x80 { return byte(UInt8(truncatingIfNeeded: value)) }
    let target = room(10)
    var rest = value
    var length = 0
    while rest >= 0x80 {
      target[length] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      length += 1
    }
    target[length] = UInt8(truncatingIfNeeded: rest)
    count += length + 1
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    UnsafeMutableRawPointer(room(bytes.count)).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  /// An argument of a function, to the bit.
  mutating func value(_ argument: FunctionArgument) {
    switch argument.type {
    case .null: byte(ValueTag.null)
    case .integer: integer(argument.number)
    case .real:
      let target = room(9)
      target.pointee = ValueTag.real
      UnsafeMutableRawPointer(target + 1).storeBytes(of: argument.number.bigEndian, as: Int64.self)
      count += 9
    case .text:
      guard argument.bytes.count == 36, let uuid = UUIDText(argument.bytes) else {
        varint(ValueTag.text + UInt64(argument.bytes.count) << 1)
        return append(argument.bytes)
      }
      let target = room(17)
      target.pointee = uuid.isUppercase ? ValueTag.uppercaseUUID : ValueTag.lowercaseUUID
      UnsafeMutableRawPointer(target + 1).storeBytes(of: uuid.high.bigEndian, as: UInt64.self)
      UnsafeMutableRawPointer(target + 9).storeBytes(of: uuid.low.bigEndian, as: UInt64.self)
      count += 17
    case .blob:
      varint(ValueTag.blob + UInt64(argument.bytes.count) << 1)
      append(argument.bytes)
    }
  }

  /// The shortest big-endian two's complement, none for 0.
  private mutating func integer(_ value: Int64) {
    let magnitude = value < 0 ? ~value : value
    let length = value == 0 ? 0 : (72 - magnitude.leadingZeroBitCount) / 8
    let target = room(9)
    target.pointee = ValueTag.integer + UInt8(truncatingIfNeeded: length)
    var rest = value
    var position = length
    while position > 0 {
      target[position] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
      position -= 1
    }
    count += 1 + length
  }
}
