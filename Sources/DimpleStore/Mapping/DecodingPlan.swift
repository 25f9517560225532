/// Which column each call for a key means, learnt while the first row is decoded.
///
/// Synthesised `init(from:)` asks for its keys in the same order for every row, so the plan predicts the k-th call's
/// column and only compares the key; what it has not predicted, it looks up.
///
/// A key that has no column of its own, but columns that begin with its name and a dot, means the nested value that these
/// make: its number is below zero.
final class DecodingPlan {
  /// What the k-th call asked for.
  private struct Prediction {
    let byte: KeyByte
    let keys: ObjectIdentifier
    let name: String
    let column: Int32
  }

  private let scope: ColumnScope
  private let columnNames: ColumnNames
  /// `nil` if values are stored the usual way.
  let mapping: RowMapping?
  // Used by one decoder at a time, on its thread, and never inside a change to itself.
  @exclusivity(unchecked) private var predictions: [Prediction] = []
  /// Types whose values have turned out to be JSON, by column.
  @exclusivity(unchecked) var jsonColumns: Set<Int32> = []

  /// Decode the nested values, in the order in which they were first asked for.
  @exclusivity(unchecked) private(set) var nested: [RowDecoder] = []

  init(_ scope: ColumnScope, _ mapping: RowMapping) {
    self.scope = scope
    columnNames = mapping.columnNames
    self.mapping = mapping.storesAsUsual ? nil : mapping
  }

  /// The decoder that a number below zero means.
  func nestedDecoder(_ column: Int32) -> RowDecoder { nested[Int(-1 - column)] }

  /// The column of the k-th call, if it asks for the key that the k-th call of the first row asked for.
  @inline(__always) func predictedColumn<Key>(_ byte: KeyByte, _ keys: Key.Type, call: Int) -> Int32? {
    guard byte.isKnown, call < predictions.count else { return nil }
    let prediction = predictions[call]
    return prediction.byte == byte && prediction.keys == ObjectIdentifier(keys) ? prediction.column : nil
  }

  /// The column of the key's name, or `nil`.
  func column<Key: CodingKey>(_ key: Key, _ byte: KeyByte, call: Int) -> Int32? {
    let name = columnNames.column(key.stringValue)
    if call < predictions.count, predictions[call].name == name { return predictions[call].column }
    guard let column = scope.column(name) ?? nestedColumn(name) else { return nil }
    if call == predictions.count {
      predictions.append(Prediction(byte: byte, keys: ObjectIdentifier(Key.self), name: name, column: column))
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

/// What tells keys of one type apart without asking for their names: the one byte that a key without a payload is.
///
/// The compiler makes coding keys as such; a type whose keys are anything more is unknown, and told by name.
struct KeyByte: Equatable {
  /// 0 to 255, or -1 if unknown.
  private let value: Int16

  @inline(__always) init<Key: CodingKey>(_ key: Key) {
    guard _isPOD(Key.self), MemoryLayout<Key>.size <= 1 else {
      value = -1
      return
    }
    value = withUnsafeBytes(of: key) { $0.isEmpty ? 0 : Int16($0[0]) }
  }

  var isKnown: Bool { value >= 0 }
}
