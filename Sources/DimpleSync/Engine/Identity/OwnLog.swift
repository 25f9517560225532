internal import DimpleChangelog
internal import DimpleStore

/// The part of the own log that is under one of the database's names, numbered as others number it. Tables and columns are
/// called what they were called at each transaction's commit, so that it is encoded the same way ever after.
struct OwnLog {
  let identity: Identity
  /// The private key of the name, which is part of the chain.
  let signingKey: [UInt8]
  let connection: Connection
  let changelog: Changelog

  /// The number of the last transaction, and of the first that the log still has.
  func bounds() throws -> (first: Int64, last: Int64) {
    let last = try identity.last ?? changelog.lastTransaction(connection)
    return (max(1, try changelog.firstTransaction(connection) - identity.offset), last - identity.offset)
  }

  /// Calls `body` with the transactions after `number`, ascending, until it returns `false`. Large values are not read along.
  func transactions(after number: Int64, _ body: (PackTransaction) throws -> Bool) throws {
    try changelog.transactions(connection, after: identity.offset + number) { local, references in
      guard identity.contains(local.number) else { return false }
      return try body(PackTransaction(local, number: local.number - identity.offset, references))
    }
  }

  /// Adds the transactions after `number` to a pack, until `goesOn`, told the number of each, says no.
  ///
  /// - Returns: What of them refers to large values.
  func pack(
    after number: Int64, into builder: inout PackBuilder, while goesOn: (PackBuilder, Int64) -> Bool
  ) throws -> [PartUse] {
    var packer = LogPacker(try changelog.logNames(connection))
    var uses: [PartUse] = []
    var last = number
    while let large = try packSmall(&packer, after: last, into: &builder, while: goesOn) {
      try transactions(after: large - 1) { transaction in
        builder.append(transaction)
        if let use = PartUse(transaction) { uses.append(use) }
        return false
      }
      guard goesOn(builder, large) else { break }
      last = large
    }
    return uses
  }

  /// - Returns: The transaction with a large value that this ended before, if that is why it ended.
  private func packSmall(
    _ packer: inout LogPacker, after number: Int64, into builder: inout PackBuilder,
    while goesOn: (PackBuilder, Int64) -> Bool
  ) throws -> Int64? {
    var open: Int64?
    var large: Int64?
    try changelog.payloads(connection, after: identity.offset + number) { time, payload in
      let transaction = try changelog.transaction(ofPayload: payload, at: time) - identity.offset
      if open != transaction {
        if let ended = open {
          open = nil
          builder.end()
          guard goesOn(builder, ended) else { return false }
        }
        guard identity.contains(transaction + identity.offset) else { return false }
        builder.begin(transaction)
        open = transaction
      }
      if try packer.add(payload, at: time, to: &builder) { return true }
      builder.cancel()
      (open, large) = (nil, transaction)
      return false
    }
    if open != nil { builder.end() }
    return large
  }

  /// The chain after transaction `number`, computed from a known place before it; `nil` where the log lacks what is between.
  func chain(after number: Int64, from known: (last: Int64, chain: [UInt8])) throws -> [UInt8]? {
    var (last, chain) = (known.last, known.chain)
    if last == number { return chain }
    if last > number { (last, chain) = (0, LogChain.start) }
    var builder = PackBuilder(before: chain, signingKey: signingKey)
    try transactions(after: last) { transaction in
      guard transaction.number == last + 1, transaction.number <= number else { return false }
      builder.append(transaction)
      last = transaction.number
      // Only the chain is wanted.
      if builder.size > 1 << 20 { builder = PackBuilder(before: builder.chain.after, signingKey: signingKey) }
      return last < number
    }
    return last == number ? builder.chain.after : nil
  }

  enum Comparison: Equatable {
    /// As far as they can be compared, the pack's transactions are the log's.
    case same
    /// The pack has other transactions after this one, or such as the log does not have.
    case differs(after: Int64)
  }

  /// How a pack under this name relates to the log.
  ///
  /// - Parameter pushed: Up to where the pack's vault is known to agree with the log.
  func compare(_ decoded: DecodedPack, pushed: (last: Int64, chain: [UInt8])) throws -> Comparison {
    let (range, bounds) = (decoded.header.range, try bounds())
    if let chain = decoded.chain(before: pushed.last + 1), !pushed.chain.isEmpty, chain != pushed.chain {
      // Somewhere before, so that all of the pack after it is in doubt.
      return .differs(after: try firstDifference(decoded, bounds) ?? min(range.lowerBound, bounds.first) - 1)
    }
    var difference = try firstDifference(decoded, bounds)
    // Of a former name, what lies after its end is known to be the other copy's.
    if difference == nil, range.upperBound > bounds.last, identity.last == nil { difference = bounds.last }
    switch try follows(decoded, pushed) {
    case true: return difference.map { .differs(after: $0) } ?? .same
    case false: return .differs(after: min(difference ?? pushed.last, pushed.last))
    // What lies before it may be the other copy's, too.
    case nil: return difference.map { .differs(after: min($0, pushed.last)) } ?? .same
    }
  }

  /// Whether a pack goes on from what is known to be in the vault, by way of the log; `nil` where the log lacks what is between.
  private func follows(_ decoded: DecodedPack, _ pushed: (last: Int64, chain: [UInt8])) throws -> Bool? {
    let first = decoded.header.range.lowerBound
    if first <= pushed.last + 1 { return true }
    let chain = try chain(after: first - 1, from: pushed.chain.isEmpty ? (0, LogChain.start) : pushed)
    return chain.map { $0 == decoded.header.chain.before }
  }

  /// The last transaction before the first one that differs.
  private func firstDifference(_ decoded: DecodedPack, _ bounds: (first: Int64, last: Int64)) throws -> Int64? {
    let range = decoded.header.range
    let (first, last) = (max(range.lowerBound, bounds.first), min(range.upperBound, bounds.last))
    guard first <= last else { return nil }
    guard var chain = decoded.chain(before: first) else { return nil }
    var difference: Int64?
    try transactions(after: first - 1) { mine in
      guard mine.number <= last else { return false }
      var builder = PackBuilder(before: chain, signingKey: signingKey)
      builder.append(mine)
      chain = builder.chain.after
      if decoded.chain(before: mine.number + 1) != chain { difference = mine.number - 1 }
      return difference == nil && mine.number < last
    }
    return difference
  }
}

extension Changelog {
  /// Calls `body` with every transaction whose number is higher than `after`, ascending, until it returns `false`, and with the
  /// references to its large values, which are left where they are. Names are those at each one's commit.
  func transactions(
    _ connection: Connection, after: Int64,
    _ body: (LocalTransaction, [LargeValue: BigReference]) throws -> Bool
  ) throws {
    var references: [LargeValue: BigReference] = [:]
    try transactions(
      connection, after: after, naming: .asOfCommit, leavingLongerThan: BigReference.threshold
    ) { value, bytes in
      references[value] = BigReference(value.isText ? .text : .blob, bytes)
    } _: { local in
      // One transaction's at a time; of the next one, some may be known already.
      let isWhole = try body(local, references)
      for column in local.large { references[column.value] = nil }
      return isWhole
    }
  }
}
