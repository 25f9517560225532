/// Which column each call for a key means, learnt while the first row is decoded.
///
/// Synthesised `init(from:)` asks for its keys in the same order for every row, so the plan predicts the k-th call's
/// column and only compares the key; what it has not predicted, it looks up.
///
/// A key that has no column of its own, but columns that begin with its name and a dot, means the nested value that these
/// make: its number is below zero.
final class DecodingPlan {
  private let scope: ColumnScope
  private let columnNames: ColumnNames
  /// `nil` if values are stored the usual way.
  let mapping: RowMapping?
  /// What the calls ask for, in their order. As plain memory: the decoder walks along it, row after row.
  let predictions: UnsafeMutablePointer<ColumnPrediction>
  private let capacity: Int
  // Used by one decoder at a time, on its thread, and never inside a change to itself.
  @exclusivity(unchecked) private(set) var predictionCount = 0
  @exclusivity(unchecked) private var predictedNames: [String] = []
  /// Types whose values have turned out to be JSON, by column.
  @exclusivity(unchecked) var jsonColumns: Set<Int32> = []
  /// Decode the nested values, in the order in which they were first asked for.
  @exclusivity(unchecked) private(set) var nested: [RowDecoder] = []

  init(_ scope: ColumnScope, _ mapping: RowMapping) {
    self.scope = scope
    columnNames = mapping.columnNames
    self.mapping = mapping.storesAsUsual ? nil : mapping
    // A type may ask for a column twice, but hardly for each: what is beyond is looked up.
    capacity = scope.names.count + 4
    predictions = .allocate(capacity: capacity)
  }

  deinit { predictions.deallocate() }

  /// The decoder that a number below zero means.
  func nestedDecoder(_ column: Int32) -> RowDecoder { nested[Int(-1 - column)] }

  /// The column of the key's name, or `nil`; to be predicted for this call from the next row on.
  func column<Key: CodingKey>(_ key: Key, call: Int) -> Int32? {
    let name = columnNames.column(key.stringValue)
    if call < predictionCount, predictedNames[call] == name { return predictions[call].column }
    guard let column = scope.column(name) ?? nestedColumn(name) else { return nil }
    if call == predictionCount, call < capacity {
      (predictions + call).initialize(to: ColumnPrediction(key, column: column))
      predictedNames.append(name)
      predictionCount += 1
    }
    return column
  }

  /// Whether there is such a column, or a nested value of the name; predicts nothing.
  func has<Key: CodingKey>(_ key: Key) -> Bool {
    let name = columnNames.column(key.stringValue)
    return scope.column(name) != nil || scope.nested(name) != nil
  }

  private func nestedColumn(_ name: String) -> Int32? {
    guard let inner = scope.nested(name) else { return nil }
    nested.append(RowDecoder(inner))
    return -Int32(nested.count)
  }
}

/// What a call asked for. Plain memory.
///
/// Keys of one type are told apart without asking for their names: by the one byte that a key without a payload is. The
/// compiler makes coding keys as such; keys that are anything more are never predicted, and told by name.
struct ColumnPrediction {
  /// The keys' type; `nil` if its keys are more than a byte.
  private let keys: ObjectIdentifier?
  let column: Int32
  private let hasByte: Bool
  private let byte: UInt8

  init<Key: CodingKey>(_ key: Key, column: Int32) {
    let size = MemoryLayout<Key>.size
    keys = _isPOD(Key.self) && size <= 1 ? ObjectIdentifier(Key.self) : nil
    hasByte = size == 1
    byte = keys != nil && hasByte ? unsafeBitCast(key, to: UInt8.self) : 0
    self.column = column
  }

  /// Whether the call asks for the key again.
  @inline(__always) func isFor<Key: CodingKey>(_ key: Key) -> Bool {
    guard keys == ObjectIdentifier(Key.self) else { return false }
    return !hasByte || byte == unsafeBitCast(key, to: UInt8.self)
  }
}

/// What tells keys of one type apart without asking for their names: see ``ColumnPrediction``.
struct KeyByte: Equatable {
  /// 0 to 255, or -1 if unknown.
  private let value: Int16

  @inline(__always) init<Key: CodingKey>(_ key: Key) {
    guard _isPOD(Key.self), MemoryLayout<Key>.size <= 1 else {
      value = -1
      return
    }
    value = MemoryLayout<Key>.size == 0 ? 0 : Int16(unsafeBitCast(key, to: UInt8.self))
  }

  var isKnown: Bool { value >= 0 }
}
