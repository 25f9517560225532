/// The statements used last, by text.
///
/// Bounded: the one not used for longest goes first. A statement that somebody still holds is never handed out twice.
struct StatementCache {
  private final class Entry {
    var statement: Statement
    /// When it was used last, counted in uses.
    var lastUse: UInt64 = 0
    init(_ statement: Statement) { self.statement = statement }
  }

  /// Longer texts are one-offs (generated inserts, long lists) and are compiled each time.
  static let longestText = 16_384

  private let capacity: Int
  private var entries: [String: Entry] = [:]
  /// The entries used last, by their texts' lengths: comparing a text costs less than hashing it.
  private var recent = [Entry?](repeating: nil, count: 16)
  /// The literals used last, by where their parts lie: see ``SQLText``.
  private var literals = [(parts: [StaticString], entry: Entry)?](repeating: nil, count: 64)
  private var uses: UInt64 = 0

  init(capacity: Int) { self.capacity = max(0, capacity) }

  var count: Int { entries.count }

  /// A statement for the text that nobody else holds.
  mutating func take(_ sql: String) -> Statement? {
    guard let entry = entry(sql), isKnownUniquelyReferenced(&entry.statement) else { return nil }
    uses += 1
    entry.lastUse = uses
    return entry.statement
  }

  /// A statement for the literal that nobody else holds.
  mutating func take(literal parts: [StaticString]) -> Statement? {
    guard let known = literals[SQLText.place(of: parts, among: literals.count)], SQLText.areSame(known.parts, parts),
      isKnownUniquelyReferenced(&known.entry.statement)
    else { return nil }
    uses += 1
    known.entry.lastUse = uses
    return known.entry.statement
  }

  /// Makes the statement that is kept for the text be found by the literal.
  mutating func remember(literal parts: [StaticString], as sql: String) {
    guard let entry = entries[sql] else { return }
    literals[SQLText.place(of: parts, among: literals.count)] = (parts, entry)
  }

  private mutating func entry(_ sql: String) -> Entry? {
    let place = sql.utf8.count % recent.count
    if let entry = recent[place], entry.statement.sql == sql { return entry }
    guard let entry = entries[sql] else { return nil }
    recent[place] = entry
    return entry
  }

  /// Keeps a statement; if one with the same text is kept already, that one stays.
  mutating func insert(_ statement: Statement) {
    guard capacity > 0, statement.sql.utf8.count <= Self.longestText, entries[statement.sql] == nil else { return }
    if entries.count >= capacity { evict() }
    let entry = Entry(statement)
    uses += 1
    entry.lastUse = uses
    entries[statement.sql] = entry
  }

  /// Lets all go, and finalizes those that somebody still holds.
  mutating func removeAll() {
    for entry in entries.values { entry.statement.finalize() }
    entries.removeAll()
    for place in recent.indices { recent[place] = nil }
    for place in literals.indices { literals[place] = nil }
  }

  /// Scans for the oldest: the cache is small, and a compilation that costs far more has just been made.
  private mutating func evict() {
    guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
    entries[oldest.key] = nil
    let place = oldest.key.utf8.count % recent.count
    if recent[place] === oldest.value { recent[place] = nil }
    for place in literals.indices where literals[place]?.entry === oldest.value { literals[place] = nil }
  }
}
