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
  private let leavesOut: (_ table: String, _ transaction: Int64) -> Bool
  private var changeHash: ChangeHash
  private var writer = JSONWriter()
  private var first: Int64?
  private var last: Int64 = 0
  private var shown: [[UInt8]: PackHeader.Salt] = [:]
  private var open: Open?
  /// Around the transactions so far.
  private(set) var chain: PackChain

  /// - Parameters:
  ///   - before: The chain before the first transaction.
  ///   - leavesOut: Whether a table's changes in a transaction are replaced by their hashes.
  init(
    before: [UInt8], signingKey: [UInt8],
    leavesOut: @escaping (_ table: String, _ transaction: Int64) -> Bool = { _, _ in false }
  ) {
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
    if let hash = transaction.leftHash {
      writeLeft(transaction.number, hash)
      close(transaction.number, hash)
    } else {
      write(transaction)
    }
  }

  private mutating func close(_ number: Int64, _ hash: [UInt8]) {
    chain.after = LogChain.next(chain.after, hash)
    first = first ?? number
    last = number
  }

  // MARK: - A transaction, change by change

  /// The one that is being written.
  private struct Open {
    var number: Int64
    /// Where its line begins.
    var start: Int
    var hash: TransactionHash?
    /// What the next change's time is if no tick is left out.
    var expected: Int64 = 0
    var isAnyShown = false
  }

  /// Begins the next transaction: ``add(changeOf:at:_:)`` follows, once at least, then ``end(_:)``.
  mutating func begin(_ number: Int64) { open = Open(number: number, start: size) }

  /// Takes back the transaction that was begun.
  mutating func cancel() {
    if let open { writer.truncate(to: open.start) }
    open = nil
  }

  /// Adds a change to the transaction that was begun.
  ///
  /// - Parameter write: Writes its JSON; it is given what writes the ticks, right behind what was done.
  mutating func add(
    changeOf table: String, at time: HybridTime,
    _ write: (inout JSONWriter, _ writeTicks: (inout JSONWriter) -> Void) throws -> Void
  ) rethrows {
    let (ticks, start) = (beginChange(at: time), size)
    try write(&writer) { Self.write(ticks: ticks, &$0) }
    // Whoever writes has a salt for every table.
    let hash = changeHash.hash(writer.bytes[start...], of: table) ?? []
    if leavesOut(table, open?.number ?? 0) {
      writer.truncate(to: start)
      writeLeft(hash, ticks: ticks)
    } else {
      if let salt = changeHash.salt(of: table) { note(salt, of: table) }
      open?.isAnyShown = true
    }
    open?.hash?.add(ticks: ticks, hash: hash)
  }

  /// Adds a change of which only the hash is known.
  private mutating func add(left hash: [UInt8], at time: HybridTime) {
    let ticks = beginChange(at: time)
    writeLeft(hash, ticks: ticks)
    open?.hash?.add(ticks: ticks, hash: hash)
  }

  /// - Returns: How far the change's time lies past the one before, less one.
  private mutating func beginChange(at time: HybridTime) -> Int64 {
    guard let open else { return 0 }
    self.open?.expected = time.rawValue + 1
    if open.hash != nil {
      writer.raw(",")
      return time.rawValue - open.expected
    }
    self.open?.hash = TransactionHash(number: open.number, time: time)
    writer.raw(#"{"number":"#)
    writer.integer(open.number)
    writer.raw(#","time":"#)
    writer.integer(time.rawValue)
    writer.raw(#","changes":["#)
    return 0
  }

  /// Ends the transaction that was begun.
  ///
  /// - Parameter otherMembers: As JSON, with a comma before each.
  mutating func end(_ otherMembers: [UInt8] = []) {
    guard let open, var hash = open.hash else { return cancel() }
    self.open = nil
    writer.raw("]")
    writer.append(otherMembers)
    writer.raw("}\n")
    hash.add(otherMembers)
    let value = hash.value
    if !open.isAnyShown {
      writer.truncate(to: open.start)
      writeLeft(open.number, value)
    }
    close(open.number, value)
  }

  // MARK: - A transaction as a whole

  /// A transaction of which nothing is shown.
  private mutating func writeLeft(_ number: Int64, _ hash: [UInt8]) {
    writer.raw(#"{"number":"#)
    writer.integer(number)
    writer.raw(#","left":"#)
    writer.string(Hex.encode(hash))
    writer.raw("}\n")
  }

  private mutating func write(_ transaction: PackTransaction) {
    begin(transaction.number)
    var (shown, left) = (transaction.changes[...], transaction.left[...])
    for position in 0..<(transaction.changes.count + transaction.left.count) {
      if let next = left.first, next.position == position {
        add(left: next.hash, at: next.time)
        left.removeFirst()
      } else if let change = shown.popFirst() {
        add(changeOf: change.table, at: change.time) { Self.write(change, &$0, $1) }
      }
    }
    end(transaction.otherMembers)
  }

  private mutating func writeLeft(_ hash: [UInt8], ticks: Int64) {
    writer.raw(#"{"left":"#)
    writer.string(Hex.encode(hash))
    Self.write(ticks: ticks, &writer)
    writer.raw("}")
  }

  /// Left out when 0, as it nearly always is.
  private static func write(ticks: Int64, _ writer: inout JSONWriter) {
    if ticks == 0 { return }
    writer.raw(#","ticks":"#)
    writer.integer(ticks)
  }

  private static func write(
    _ change: PackChange, _ writer: inout JSONWriter, _ writeTicks: (inout JSONWriter) -> Void
  ) {
    writer.raw(#"{"table":"#)
    writer.string(change.table)
    writer.raw(#","op":"#)
    writer.string(change.operation.rawValue)
    writeTicks(&writer)
    writer.raw(#","key":"#)
    writer.list(change.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    if !change.columns.isEmpty || !change.bigColumns.isEmpty { writeColumns(change, &writer) }
    writer.raw("}")
  }

  private static func writeColumns(_ change: PackChange, _ writer: inout JSONWriter) {
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
