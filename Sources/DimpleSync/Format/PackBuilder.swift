internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleStore

/// Everything of a pack but its header: lines, and what the header says of them.
struct PackBody: Sendable {
  var range: ClosedRange<Int64>
  var chain: PackChain
  /// Of the tables that the lines show changes of, by the bytes of their names.
  var salts: [PackHeader.Salt]
  /// Hands the lines over, in pieces; the same each time. Each line ends with a line feed.
  var writeLines: @Sendable ((ArraySlice<UInt8>) throws -> Void) throws -> Void
}

/// Writes transactions as lines. Canonical: the same transactions, signing key and tables left out give the same bytes.
struct PackBuilder {
  private let leavesOut: (String) -> Bool
  private var changeHash: ChangeHash
  private var writer = JSONWriter()
  private var first: Int64?
  private var last: Int64 = 0
  private var shown: [[UInt8]: PackHeader.Salt] = [:]
  /// Around the transactions so far.
  private(set) var chain: PackChain

  /// - Parameters:
  ///   - before: The chain before the first transaction.
  ///   - leavesOut: Whether a table's changes are replaced by their hashes.
  init(before: [UInt8], signingKey: [UInt8], leavesOut: @escaping (String) -> Bool = { _ in false }) {
    self.leavesOut = leavesOut
    changeHash = ChangeHash(signingKey: signingKey)
    chain = PackChain(before: before, after: before)
  }

  /// In bytes, so far.
  var size: Int { writer.bytes.count }

  /// `nil` as long as there is no transaction.
  var body: PackBody? {
    guard let first else { return nil }
    let salts = shown.values.sorted { $0.table.utf8.lexicographicallyPrecedes($1.table.utf8) }
    let lines = writer.bytes
    return PackBody(range: first...last, chain: chain, salts: salts) { try $0(lines[...]) }
  }

  /// Adds the next transaction.
  mutating func append(_ transaction: PackTransaction) {
    let hash = transaction.leftHash ?? write(transaction)
    if transaction.leftHash != nil { writeLeft(transaction.number, hash) }
    chain.after = LogChain.next(chain.after, hash)
    first = first ?? transaction.number
    last = transaction.number
  }

  /// A transaction of which nothing is shown.
  private mutating func writeLeft(_ number: Int64, _ hash: [UInt8]) {
    writer.raw(#"{"number":"#)
    writer.integer(number)
    writer.raw(#","left":"#)
    writer.string(Hex.encode(hash))
    writer.raw("}\n")
  }

  private mutating func write(_ transaction: PackTransaction) -> [UInt8] {
    let start = size
    writer.raw(#"{"number":"#)
    writer.integer(transaction.number)
    writer.raw(#","time":"#)
    writer.integer(transaction.time.rawValue)
    writer.raw(#","changes":["#)
    var hash = TransactionHash(number: transaction.number, time: transaction.time)
    var expected = transaction.time.rawValue
    var isAnyShown = false
    var (shownIndex, leftIndex) = (0, 0)
    for position in 0..<(transaction.changes.count + transaction.left.count) {
      if position > 0 { writer.raw(",") }
      let isLeft = leftIndex < transaction.left.count && transaction.left[leftIndex].position == position
      let time = isLeft ? transaction.left[leftIndex].time : transaction.changes[shownIndex].time
      let ticks = time.rawValue - expected
      expected = time.rawValue + 1
      if isLeft {
        let left = transaction.left[leftIndex].hash
        writeLeft(left, ticks: ticks)
        hash.add(ticks: ticks, hash: left)
        leftIndex += 1
      } else {
        let change = transaction.changes[shownIndex]
        hash.add(ticks: ticks, hash: write(change, ticks: ticks))
        isAnyShown = isAnyShown || !leavesOut(change.table)
        shownIndex += 1
      }
    }
    writer.raw("]")
    for byte in transaction.otherMembers { writer.byte(byte) }
    writer.raw("}\n")
    hash.add(transaction.otherMembers)
    let value = hash.value
    if !isAnyShown {
      writer.truncate(to: start)
      writeLeft(transaction.number, value)
    }
    return value
  }

  private mutating func writeLeft(_ hash: [UInt8], ticks: Int64) {
    writer.raw(#"{"left":"#)
    writer.string(Hex.encode(hash))
    writeTicks(ticks)
    writer.raw("}")
  }

  /// How far a change's time lies past the one before, less one; left out when 0, as it nearly always is.
  private mutating func writeTicks(_ ticks: Int64) {
    if ticks == 0 { return }
    writer.raw(#","ticks":"#)
    writer.integer(ticks)
  }

  /// - Returns: The change's hash.
  private mutating func write(_ change: PackChange, ticks: Int64) -> [UInt8] {
    let start = size
    writer.raw(#"{"table":"#)
    writer.string(change.table)
    writer.raw(#","op":"#)
    writer.string(change.operation.rawValue)
    writeTicks(ticks)
    writer.raw(#","key":"#)
    writer.list(change.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    if !change.columns.isEmpty || !change.bigColumns.isEmpty { writeColumns(change) }
    writer.raw("}")
    // Whoever writes has a salt for every table.
    let hash = changeHash.hash(writer.bytes[start...], of: change.table) ?? []
    if leavesOut(change.table) {
      writer.truncate(to: start)
      writeLeft(hash, ticks: ticks)
    } else if let salt = changeHash.salt(of: change.table) {
      note(salt, of: change.table)
    }
    return hash
  }

  private mutating func writeColumns(_ change: PackChange) {
    writer.raw(#","columns":{"#)
    var big = change.bigColumns[...]
    var isFirst = true
    func writeName(_ name: String, _ writer: inout JSONWriter) {
      if !isFirst { writer.raw(",") }
      isFirst = false
      writer.string(name)
      writer.raw(":")
    }
    for column in change.columns {
      while let next = big.first, next.name.utf8.lexicographicallyPrecedes(column.name.utf8) {
        writeName(next.name, &writer)
        writer.value(next.reference.json)
        big.removeFirst()
      }
      writeName(column.name, &writer)
      ValueJSON.write(column.value, to: &writer)
    }
    for next in big {
      writeName(next.name, &writer)
      writer.value(next.reference.json)
    }
    writer.raw("}")
  }

  private mutating func note(_ salt: [UInt8], of table: String) {
    let name = Array(table.utf8)
    if shown[name] == nil { shown[name] = PackHeader.Salt(table: table, salt: salt) }
  }
}
