internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote

/// A pack on its way, as it goes into a vault.
struct CarriedPack: Sendable {
  /// A part of large values, and the values that it is a part of.
  struct Part: Sendable {
    var hash: [UInt8]
    var cells: [LargeCell]
  }

  let span: RelayTable.Span
  let header: PackHeader
  /// What it refers to, each part once.
  let parts: [Part]
  /// The transactions that refer to them.
  let uses: [PartUse]

  private let lines: FoldedLines
  private let vault: String

  /// - Throws: ``SyncError`` where it cannot be read.
  init(_ spooled: RelayTable.Spooled, to vault: any Vault, maximumSize: Int) throws {
    lines = FoldedLines(folded: spooled.pack, maximumSize: maximumSize)
    var reader = CarriedPackReader(vault: vault)
    try lines.forEach { line in
      try reader.read(line)
      return true
    }
    guard let header = reader.header else { throw PackHeaderCodec.damaged("A pack in the spool is empty.") }
    self.header = header
    (parts, uses) = (reader.parts, reader.uses)
    (span, self.vault) = (spooled.span, vault.id)
  }

  /// The same pack with the vault's name in its header, folded, and the hash of what is folded.
  func folded() throws -> (contents: [UInt8], bytes: [UInt8]) {
    var contents = SHA256()
    let folded = try GzipWriter.write { writer in
      contents = SHA256()
      var isFirst = true
      try lines.forEach { line in
        var bytes = isFirst ? try PackHeaderCodec.readdressed(line, to: vault)[...] : line
        isFirst = false
        bytes.append(UInt8(ascii: "\n"))
        contents.update(bytes)
        try writer.append(bytes)
        return true
      }
    }
    return (contents.finalize(), folded)
  }
}

/// Reads of a pack what is needed to carry it.
private struct CarriedPackReader {
  let vault: any Vault
  private(set) var header: PackHeader?
  private(set) var parts: [CarriedPack.Part] = []
  private(set) var uses: [PartUse] = []

  private var reader = TransactionReader(salts: [])
  private var number: Int64 = 0
  /// Where each part is in ``parts``.
  private var positions: [[UInt8]: Int] = [:]

  init(vault: any Vault) { self.vault = vault }

  mutating func read(_ line: ArraySlice<UInt8>) throws {
    guard header != nil else {
      let header = try PackHeaderCodec.read(PackHeaderCodec.readdressed(line, to: vault.id)[...], vault: vault)
      self.header = header
      reader = TransactionReader(salts: header.salts)
      number = header.range.lowerBound
      return
    }
    defer { number = number.saturatingSuccessor }
    guard line.mayReferToParts else { return }
    let transaction: PackTransaction
    do { transaction = try reader.read(line, number: number) } catch is SyncError {
      // Of a form that is not known here: it goes as it is.
      return
    }
    guard let use = PartUse(transaction) else { return }
    uses.append(use)
    for change in transaction.changes {
      for column in change.bigColumns {
        let cell = LargeCell(table: change.table, key: change.key, reference: column.reference)
        for hash in Set(column.reference.parts) { add(hash, of: cell) }
      }
    }
  }

  private mutating func add(_ hash: [UInt8], of cell: LargeCell) {
    if let position = positions[hash] {
      parts[position].cells.append(cell)
    } else {
      positions[hash] = parts.count
      parts.append(CarriedPack.Part(hash: hash, cells: [cell]))
    }
  }
}

extension ArraySlice<UInt8> {
  /// Whether a member may be called `big`: it is written so, or something is written with an escape.
  fileprivate var mayReferToParts: Bool {
    let (name, escape) = (Array(#""big""#.utf8), Array(#"\u"#.utf8))
    return withUnsafeBufferPointer { bytes in
      var position = 0
      while position < bytes.count {
        let rest = UnsafeBufferPointer(rebasing: bytes[position...])
        if rest[0] == name[0], rest.starts(with: name) { return true }
        if rest[0] == escape[0], rest.starts(with: escape) { return true }
        position += 1
      }
      return false
    }
  }
}
