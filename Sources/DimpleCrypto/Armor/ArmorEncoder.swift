internal import DimplePrimitives

/// Writes armor as bytes come.
struct ArmorEncoder {
  private var pending: [UInt8] = []
  private var hasBegun = false

  /// Takes bytes; appends the lines they fill to `output`.
  mutating func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
    begin(into: &output)
    var rest = bytes[...]
    if !pending.isEmpty {
      let piece = rest.prefix(Armor.bytesPerLine - pending.count)
      pending.append(contentsOf: piece)
      rest = rest[piece.endIndex...]
      guard pending.count == Armor.bytesPerLine else { return }
      pending.withUnsafeBytes { Self.appendLine($0[...], to: &output) }
      pending.removeAll(keepingCapacity: true)
    }
    while rest.count >= Armor.bytesPerLine {
      Self.appendLine(rest.prefix(Armor.bytesPerLine), to: &output)
      rest = rest.dropFirst(Armor.bytesPerLine)
    }
    pending.append(contentsOf: rest)
  }

  /// Appends the last line and the closing one.
  mutating func finish(into output: inout [UInt8]) {
    begin(into: &output)
    if !pending.isEmpty { pending.withUnsafeBytes { Self.appendLine($0[...], to: &output) } }
    pending.removeAll()
    output += Armor.end + [AgeHeader.newline]
  }

  private mutating func begin(into output: inout [UInt8]) {
    guard !hasBegun else { return }
    hasBegun = true
    output += Armor.begin + [AgeHeader.newline]
  }

  private static func appendLine(_ bytes: Slice<UnsafeRawBufferPointer>, to output: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Armor.columns + 1) { line in
      let count = Base64.encode(UnsafeRawBufferPointer(rebasing: bytes), padded: true, into: line)
      line[count] = AgeHeader.newline
      output.append(contentsOf: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(line)[...count]))
    }
  }
}
