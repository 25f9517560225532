/// The names of the columns that a type encodes, learnt from its first value.
final class EncodingPlan {
  private struct Call {
    let byte: KeyByte
    let keys: ObjectIdentifier
  }

  /// `nil` if values are stored the usual way.
  let mapping: RowMapping?
  private let columnNames: ColumnNames
  @exclusivity(unchecked) private(set) var names: [String] = []
  @exclusivity(unchecked) private var calls: [Call] = []

  init(_ mapping: RowMapping) {
    self.mapping = mapping.storesAsUsual ? nil : mapping
    columnNames = mapping.columnNames
  }

  /// The k-th key of a value: usually the one that the value before had there.
  @inline(__always) func note<Key: CodingKey>(_ key: Key, call: Int) {
    let byte = KeyByte(key)
    if byte.isKnown, call < calls.count, calls[call].byte == byte, calls[call].keys == ObjectIdentifier(Key.self) {
      return
    }
    learn(key, byte, call)
  }

  /// The value had so many keys.
  @inline(__always) func end(_ count: Int) {
    if count < names.count { forget(from: count) }
  }

  private func learn<Key: CodingKey>(_ key: Key, _ byte: KeyByte, _ call: Int) {
    let name = columnNames.column(key.stringValue)
    if call < names.count, names[call] == name { return }
    forget(from: call)
    names.append(name)
    calls.append(Call(byte: byte, keys: ObjectIdentifier(Key.self)))
  }

  private func forget(from call: Int) {
    names.removeSubrange(call...)
    calls.removeSubrange(call...)
  }
}
