import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// A tracked database with a clock that the test sets, and its log in short.
struct TrackedDatabase {
  let database: Database
  let clock: ManualClock

  /// In memory unless a path is given.
  init(
    _ schema: String = "", path: String? = nil, untracked: Set<String> = [],
    untrackedColumns: [String: Set<String>] = [:], clock: ManualClock = ManualClock(),
    foreignKeys: Bool = true, keepsMergedValues: Bool = false, retention: Changelog.Retention = .all,
    trimsByItself: Bool = false,
    detectsCopies: Bool = true, functions: [SQLFunction] = [],
    adoptionDidProgress: @escaping @Sendable (AdoptionProgress) -> Void = { _ in }
  ) throws {
    self.clock = clock
    var options = Changelog.Options()
    options.clock = clock.wallClock
    options.untracked = untracked
    options.untrackedColumns = untrackedColumns
    options.keepsMergedValues = keepsMergedValues
    options.retention = retention
    options.trimsByItself = trimsByItself
    options.detectsCopies = detectsCopies
    options.adoptionDidProgress = adoptionDidProgress
    var configuration = Configuration().tracking(options)
    configuration.foreignKeys = foreignKeys
    configuration.functions = functions
    if let path {
      database = try Database(path, configuration: configuration)
    } else {
      database = try Database.inMemory(configuration: configuration)
    }
    if !schema.isEmpty { try script(schema) }
  }

  var changelog: Changelog {
    get throws { try #require(database.changelog) }
  }

  func script(_ sql: String) throws { try database.write { try $0.script(SQL(raw: sql)) } }

  func changes(after transaction: Int64 = 0) throws -> [Change] { try changelog.changes(after: transaction) }

  @discardableResult
  func trim() throws -> TrimReport { try changelog.trim() }

  var lastTransaction: Int64 {
    get throws { try database.read { try changelog.lastTransaction($0) } }
  }

  /// The number of the first transaction that is kept.
  var keptFrom: Int64 {
    get throws { try database.read { try changelog.firstTransaction($0) } }
  }

  /// The log in short: `insert T[1] a=2 b='x'`.
  func log(after transaction: Int64 = 0) throws -> [String] { try changes(after: transaction).map(describe) }

  /// What `sql` adds to the log, run as one transaction.
  func logged(_ sql: String) throws -> [String] {
    let before = try lastTransaction
    try script(sql)
    return try log(after: before)
  }

  /// The rows of a query, each a line.
  func rows(_ sql: String) throws -> [String] {
    try database.read { connection in
      try connection.rows(SQL(raw: sql)).map { row in
        row.columnNames.indices.map { describe(row[$0]) }.joined(separator: " ")
      }
    }
  }
}

func describe(_ change: Change) -> String {
  let key = change.key.map(describe).joined(separator: ",")
  let columns = change.columns.map { " \($0.name)=\(describe($0.value))" }.joined()
  return "\(change.operation) \(change.table)[\(key)]\(columns)"
}

func describe(_ value: SQLValue) -> String {
  switch value {
  case .null: "NULL"
  case .integer(let number): "\(number)"
  case .real(let number): "\(number)"
  case .text(let text): "'\(text)'"
  case .blob(let bytes): "x\(bytes)"
  case .invalidText(let bytes): "invalid\(bytes)"
  }
}
