internal import DimpleStore

/// A tracked table as the merge sees it: its columns and the constraints that decide which rows may stand in it.
struct MergeTable {
  struct Column {
    /// In ``NameTable``.
    var id: Int64
    var name: String
    var isNotNull: Bool
    /// What the column holds where nobody wrote it.
    var fallback: ColumnDefault
    var collation: Collation
    var affinity: Affinity
  }

  /// A UNIQUE index or constraint over plain columns.
  struct Unique {
    /// Positions in `keyColumns + columns`.
    var columns: [Int]
    var collations: [Collation]
    /// Over the key, so that only numbers in it may be equal to another row's: 1 and 1.0.
    var isOfNumbers = false
  }

  /// A UNIQUE index whose values only SQLite can compute: over expressions or generated columns, or over a part of the rows.
  struct ComputedUnique {
    /// SQL, to be evaluated in a row of the table.
    var terms: [String]
    /// One for each term.
    var collationNames: [String]
    /// SQL: the rows that are part of the index; `nil` for all.
    var predicate: String?

    var collations: [Collation] { collationNames.map(Collation.init(name:)) }
  }

  /// In ``NameTable``.
  let id: Int64
  let name: String
  /// The primary key's, in the key's order.
  let keyColumns: [Column]
  /// All others that are stored (not generated).
  let columns: [Column]
  /// Both, the key's first.
  let allColumns: [Column]
  /// Of ``columns``.
  let columnIDs: Set<Int64>
  var uniques: [Unique] = []
  var computedUniques: [ComputedUnique] = []
  /// The references that rows of this table make.
  var foreignKeys: [ForeignKey] = []
  /// The stored columns that are not synced, by name: a row written anew keeps their values.
  var localColumns: [String] = []
  /// A write to a row's columns outlives a delete that is older: `Changelog.Options.updateRevives`.
  var updateRevives = false
  /// The key is the rowid: it is an integer, and SQLite would make one of NULL.
  var hasRowIDKey = false
  var isWithoutRowID = false
  /// CHECK, STRICT, or a generated column that is NOT NULL: only SQLite itself can say whether a row may stand.
  var needsProbe = false

  init(id: Int64, name: String, keyColumns: [Column], columns: [Column]) {
    self.id = id
    self.name = name
    self.keyColumns = keyColumns
    self.columns = columns
    allColumns = keyColumns + columns
    columnIDs = Set(columns.map(\.id))
  }

  var hasUniques: Bool { !uniques.isEmpty || !computedUniques.isEmpty }
}

/// A reference from a child table to a parent table.
struct ForeignKey {
  enum Action { case keep, cascade, setNull }

  /// Positions in the list of tables.
  var child: Int
  var parent: Int
  /// Positions in the child's and the parent's `allColumns`, pairwise.
  var childColumns: [Int]
  var parentColumns: [Int]
  /// Of the parent's columns: they decide when a reference is answered.
  var collations: [Collation]
  var affinities: [Affinity]
  /// What becomes of the child where the parent is deleted: NO ACTION and RESTRICT keep the parent, CASCADE (and SET
  /// DEFAULT) hides the child, SET NULL shows NULL.
  var onDelete: Action
  /// The parent's columns are its primary key, in the key's order.
  var targetsKey: Bool

  /// A child's values as they are compared with the parent's (https://sqlite.org/foreignkeys.html#fk_basics).
  func compared(_ values: [SQLValue]) -> [SQLValue] { zip(affinities, values).map { $0.applied(to: $1) } }
}

/// SQLite's built-in collating sequences: https://sqlite.org/datatype3.html#collation. An application-defined one is
/// compared as BINARY here.
enum Collation: String {
  case binary = "BINARY"
  case noCase = "NOCASE"
  case rightTrim = "RTRIM"

  init(name: String) { self = Collation(rawValue: name.uppercased()) ?? .binary }
}

/// Values that SQLite's `=` takes for equal have equal matches: 1 and 1.0, and text as its collation says.
struct MatchKey: Hashable {
  private enum Part: Hashable {
    case integer(Int64)
    case real(UInt64)
    case text([UInt8])
    case blob([UInt8])
  }
  private var parts: [Part] = []

  /// `nil` where any value is NULL: it equals nothing.
  init?(_ values: [SQLValue], _ collations: [Collation]) {
    for (value, collation) in zip(values, collations) {
      guard let part = Self.part(value, collation) else { return nil }
      parts.append(part)
    }
  }

  private static func part(_ value: SQLValue, _ collation: Collation) -> Part? {
    switch value {
    case .null: nil
    case .integer(let value): .integer(value)
    case .real(let value): Int64(exactly: value).map(Part.integer) ?? .real(value.bitPattern)
    case .text(let text): .text(fold(Array(text.utf8), collation))
    case .invalidText(let bytes): .text(fold(bytes, collation))
    case .blob(let bytes): .blob(bytes)
    }
  }

  private static func fold(_ text: [UInt8], _ collation: Collation) -> [UInt8] {
    switch collation {
    case .binary: text
    case .noCase: text.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    case .rightTrim: Array(text.prefix(text.lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? 0))
    }
  }
}
