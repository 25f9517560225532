internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleStore

/// Reads a pack's lines after the first: for their hashes, and into transactions.
struct TransactionReader {
  /// Of a table, at most; SQLite has no more (https://sqlite.org/limits.html).
  private static let maximumColumns = 32_767
  /// In a column's value: what a reference to the largest of values has, and some room.
  private static let maximumValues = 4096

  private var changeHash: ChangeHash
  private var isSkimming = false
  /// Of the last transaction that was not left out.
  private var hash: [UInt8] = []
  private var count = 0
  /// Something was left out of the lines read so far.
  private(set) var hasGaps = false
  /// Changes mostly have the table of the one before.
  private var lastTable: (utf8: [UInt8], name: String) = ([], "")

  /// - Parameter salts: The header's.
  init(salts: [PackHeader.Salt]) { changeHash = ChangeHash(salts) }

  /// The transaction that a line of a verified pack holds.
  ///
  /// - Parameters:
  ///   - line: Without its line feed.
  ///   - number: The one it must have.
  /// - Throws: ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat``.
  mutating func read(_ line: ArraySlice<UInt8>, number: Int64) throws -> PackTransaction {
    isSkimming = false
    return try readLine(line, number)
  }

  /// The transaction's hash, and how many changes it has; what these say is not looked at.
  mutating func skim(_ line: ArraySlice<UInt8>, number: Int64) throws -> (hash: [UInt8], changeCount: Int) {
    isSkimming = true
    let transaction = try readLine(line, number)
    return (transaction.leftHash ?? hash, count)
  }

  /// The line's frame has one form only, as the chain does not cover it byte by byte.
  private mutating func readLine(_ line: ArraySlice<UInt8>, _ number: Int64) throws -> PackTransaction {
    count = 0
    var parser = JSONParser(line)
    try parser.expect(#"{"number":"#)
    guard try parser.integer() == number else { throw Self.damaged("Transaction \(number) is not where it should be.") }
    if parser.skip(#","left":"#) {
      hasGaps = true
      let hash = try Self.hash(parser.value())
      try parser.expect("}")
      guard parser.position == line.endIndex else { throw Self.damaged("Transaction \(number) does not end.") }
      return PackTransaction(number: number, time: HybridTime(rawValue: 0), changes: [], leftHash: hash)
    }
    try parser.expect(#","time":"#)
    let time = HybridTime(rawValue: try parser.integer())
    try parser.expect(#","changes":["#)
    var transaction = PackTransaction(number: number, time: time, changes: [])
    var sum = TransactionHash(number: number, time: time)
    var next = time.rawValue
    repeat {
      let entry = try entry(&parser)
      guard count > 0 || entry.ticks == 0, next >= 0, next <= HybridTime.maximum.rawValue - entry.ticks else {
        throw Self.damaged("Transaction \(number) has an impossible time.")
      }
      if isSkimming { sum.add(ticks: entry.ticks, hash: entry.hash) }
      add(entry, at: HybridTime(rawValue: next + entry.ticks), to: &transaction)
      next += entry.ticks + 1
      count += 1
    } while parser.skip(",")
    try parser.expect("]")
    let others = parser.position
    while parser.skip(",") {
      _ = try parser.string()
      try parser.expect(":")
      try parser.skipValue()
    }
    let rest = parser.read(from: others)
    try parser.expect("}")
    guard parser.position == line.endIndex else { throw Self.damaged("Transaction \(number) does not end.") }
    if isSkimming {
      sum.add(rest)
      hash = sum.value
    }
    transaction.otherMembers = Array(rest)
    return transaction
  }

  private func add(_ entry: Entry, at time: HybridTime, to transaction: inout PackTransaction) {
    if isSkimming { return }
    if var change = entry.change {
      change.time = time
      transaction.changes.append(change)
    } else {
      transaction.left.append(.init(position: count, time: time, hash: entry.hash))
    }
  }

  private struct Entry {
    /// `nil` for a change left out; its time is not known yet.
    var change: PackChange?
    var ticks: Int64
    var hash: [UInt8]
  }

  private mutating func entry(_ parser: inout JSONParser) throws -> Entry {
    let start = parser.position
    if isSkimming, let ticks = skim(&parser) {
      return Entry(change: nil, ticks: ticks, hash: try hash(parser.read(from: start), of: lastTable.name))
    }
    var change = PackChange(time: HybridTime(rawValue: 0), table: "", key: [], operation: .update, columns: [])
    var (hasTable, hasOperation, hasOthers) = (false, false, false)
    var (ticks, left): (Int64, [UInt8]?) = (0, nil)
    try parser.members { parser, name in
      if isSkimming, name == "op" || name == "key" || name == "columns" { return try parser.skipValue() }
      switch name {
      case "table": (change.table, hasTable) = (try parser.string(), true)
      case "op": (change.operation, hasOperation) = (try Self.operation(parser.string()), true)
      case "ticks": ticks = try Self.ticks(parser.value())
      case "key":
        try parser.elements {
          let value = try ValueJSON.read($0.value(atMost: Self.maximumValues))
          guard value != .null else { throw Self.damaged("A key has NULL.") }
          change.key.append(value)
          guard change.key.count <= Self.maximumColumns else { throw Self.damaged("A change has too many values.") }
        }
      case "columns": try parser.members { try Self.column($1, &$0, of: &change) }
      case "left": left = try Self.hash(parser.value())
      default:
        hasOthers = true
        try parser.skipValue()
      }
    }
    if let left {
      guard !hasOthers, !hasTable, !hasOperation, change.key.isEmpty, change.columns.isEmpty, change.bigColumns.isEmpty
      else {
        throw Self.damaged("A change is left out and not.")
      }
      hasGaps = true
      return Entry(change: nil, ticks: ticks, hash: left)
    }
    guard hasTable, isSkimming || hasOperation && !change.key.isEmpty else {
      throw Self.damaged("A change cannot be read.")
    }
    return Entry(change: change, ticks: ticks, hash: try hash(parser.read(from: start), of: change.table))
  }

  /// Passes over a change in the one form in which this library writes them, and tells its ticks. Whether its values are such
  /// is for the second reading.
  private mutating func skim(_ parser: inout JSONParser) -> Int64? {
    var ticks: Int64?
    _ = parser.scan { bytes, offset in
      guard var cursor = JSONCursor(bytes, from: offset), cursor.skip(#"{"table":"#), let name = cursor.quoted(),
        cursor.skip(#","op":"#), cursor.quoted() != nil, let read = Self.ticks(&cursor), cursor.skip(#","key":["#),
        cursor.skipNested(), !cursor.skip(#","columns":{"#) || cursor.skipNested(), cursor.skip("}" as Unicode.Scalar)
      else { return nil }
      if !name.hasBytes(lastTable.utf8) {
        guard let text = String(utf8: name) else { return nil }
        lastTable = (Array(name), text)
      }
      ticks = read
      return cursor.offset
    }
    return ticks
  }

  /// 0 where there are none, `nil` where they are not as they should be.
  private static func ticks(_ cursor: inout JSONCursor) -> Int64? {
    guard cursor.skip(#","ticks":"#) else { return 0 }
    guard let ticks = cursor.integer(), ticks > 0, ticks <= HybridTime.maximum.rawValue else { return nil }
    return ticks
  }

  /// Empty where it was checked before.
  private mutating func hash(_ json: ArraySlice<UInt8>, of table: String) throws -> [UInt8] {
    guard isSkimming else { return [] }
    guard let hash = changeHash.hash(json, of: table) else {
      throw Self.damaged("The header has no salt for a change's table.")
    }
    return hash
  }

  private static func operation(_ text: String) throws -> Change.Operation {
    guard let operation = Change.Operation(rawValue: text) else {
      throw PackHeaderCodec.unsupported("A change is of a kind that is not known here.")
    }
    return operation
  }

  private static func column(_ name: String, _ parser: inout JSONParser, of change: inout PackChange) throws {
    let json = try parser.value(atMost: Self.maximumValues)
    guard change.columns.count + change.bigColumns.count < Self.maximumColumns else {
      throw damaged("A change has too many values.")
    }
    if let big = json["big"] {
      guard json.members?.count == 1, let reference = BigReference(big) else {
        throw damaged("A reference to a large value cannot be read.")
      }
      change.bigColumns.append(.init(name: name, reference: reference))
      guard saturatingSum(change.bigColumns.map(\.reference.size)) <= BigReference.maximumSize else {
        throw damaged("A row's large values are together more than SQLite takes.")
      }
    } else {
      change.columns.append(ColumnValue(name: name, value: try ValueJSON.read(json)))
    }
  }

  private static func ticks(_ json: JSON) throws -> Int64 {
    guard let value = json.integerValue, value > 0, value <= HybridTime.maximum.rawValue else {
      throw damaged("A change's ticks cannot be read.")
    }
    return value
  }

  private static func hash(_ json: JSON) throws -> [UInt8] {
    guard let hash = json.stringValue.flatMap(Hex.decode), hash.count == SHA256.byteCount else {
      throw damaged("A hash cannot be read.")
    }
    return hash
  }

  private static func damaged(_ message: String) -> SyncError { PackHeaderCodec.damaged(message) }
}
