internal import DimpleChangelog

extension ReplicaID {
  /// The reverse of `description`: exactly 16 lowercase hexadecimal digits of at most 62 bits.
  init?(hexadecimal text: String) {
    guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
    self.init(rawValue: value)
    guard description == text else { return nil }
  }
}
