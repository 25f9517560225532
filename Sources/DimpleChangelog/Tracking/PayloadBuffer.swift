internal import DimpleStore

/// The payload being packed, in memory that is used again for every row: what ``ByteWriter`` writes, for arguments where
/// SQLite keeps them. Copies share the memory.
struct PayloadBuffer {
  private final class Memory: @unchecked Sendable {  // the recorder's own, under its lock
    let start: UnsafeMutablePointer<UInt8>
    let capacity: Int

    init(capacity: Int) {
      self.capacity = capacity
      start = .allocate(capacity: capacity)
    }

    deinit { start.deallocate() }
  }

  private var memory = Memory(capacity: 1024)
  private(set) var count = 0

  /// Valid until something is appended.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.start, count: count) }

  /// Forgets the contents and keeps the memory.
  mutating func removeAll() { count = 0 }

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

  /// What every payload begins with.
  mutating func head(_ operation: LogRecord.Operation, transaction: Int64, table: Int64, keyCount: Int) {
    byte(operation.rawValue | UInt8(truncatingIfNeeded: keyCount) << 3)
    varint(UInt64(bitPattern: transaction))
    varint(UInt64(bitPattern: table))
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
