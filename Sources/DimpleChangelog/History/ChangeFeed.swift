internal import DimpleStore

/// One commit made in this database.
public struct CommittedTransaction: Sendable, Hashable {
  /// 1, 2, 3 … per database file, without gaps.
  public var number: Int64
  /// In the order they were made; those that satisfy the filter, where there is one.
  public var changes: [Change]

  /// From its parts.
  public init(number: Int64, changes: [Change]) {
    self.number = number
    self.changes = changes
  }
}

/// The transactions of a database, those that are there and then each new one as it commits:
/// ``Changelog/follow(after:matching:)``.
///
/// Each is delivered once, in the order of the numbers; which process made it does not matter. The sequence reads by itself
/// from the last number on, and holds at most a page of about 1,000 changes (a transaction is never cut): nothing queues up
/// while nobody asks, and nothing is lost. Commits only wake it.
///
/// It ends when the task is cancelled, and waits while the database is suspended. It throws ``ChangelogError`` or `StoreError`
/// where the log cannot be read, `closed` included, and can be followed again from the last number seen. Where what comes next
/// was removed from the log (``Changelog/Options/retention``), that is `.historyRemoved`, rather than a gap.
public struct ChangeFeed: AsyncSequence, Sendable {
  /// A transaction.
  public typealias Element = CommittedTransaction

  let changelog: Changelog
  let after: Int64
  let filter: ChangeFilter

  /// An iterator of its own: two may follow one feed.
  public func makeAsyncIterator() -> Iterator { Iterator(changelog: changelog, position: after, filter: filter) }

  /// Reads the log page by page.
  public struct Iterator: AsyncIteratorProtocol {
    /// About how many changes are read at once.
    static let pageSize = 1000

    private let changelog: Changelog
    private let filter: ChangeFilter
    /// The last transaction read, whether it was delivered or did not match.
    private var position: Int64
    /// Read and not delivered, the next one last.
    private var page: [CommittedTransaction] = []
    private var hasMore = false
    private var signal: CommitSignal?

    init(changelog: Changelog, position: Int64, filter: ChangeFilter) {
      self.changelog = changelog
      self.position = position
      self.filter = filter
    }

    /// The next transaction; `nil` once the task is cancelled.
    ///
    /// - Throws: ``ChangelogError``: `.historyRemoved`, `.damagedLog`, `.notAttached`; `StoreError`.
    public mutating func next() async throws -> CommittedTransaction? {
      while true {
        if Task.isCancelled { return nil }
        if let next = page.popLast() { return next }
        if !hasMore {
          let signal = try signal ?? CommitSignal(changelog.database(for: "follow the log"))
          self.signal = signal
          guard await signal.wait() else { return nil }
        }
        do {
          try await read()
        } catch is CancellationError {
          return nil
        } catch let error as StoreError where error.code == .suspended {
          // When the database is resumed, that counts as a commit.
          hasMore = false
        }
      }
    }

    private mutating func read() async throws {
      let (changelog, position, filter) = (changelog, position, filter)
      let found = try await changelog.database(for: "follow the log").read {
        try changelog.page($0, after: position, filter)
      }
      page = found.transactions.reversed()
      hasMore = found.hasMore
      self.position = found.last
    }
  }
}

extension Changelog {
  /// The transactions made in this database, from a number on, and then each new one as it commits, in this process or
  /// another. Those of other replicas are not among them.
  ///
  /// ```swift
  /// for try await transaction in changelog.follow(after: lastSeen) {
  ///   index(transaction.changes)
  ///   lastSeen = transaction.number
  /// }
  /// ```
  ///
  /// Keep the last number, and nothing is missed or seen twice, also over restarts.
  ///
  /// - Parameters:
  ///   - transaction: Begins behind this one; 0 for all there are.
  ///   - filter: Which changes; a transaction without any is passed over.
  /// - Returns: A sequence that reads when it is asked. It does not keep the database open: once that is let go, whoever
  ///   waits does so until cancelled.
  public func follow(after transaction: Int64 = 0, matching filter: ChangeFilter = ChangeFilter()) -> ChangeFeed {
    ChangeFeed(changelog: self, after: transaction, filter: filter)
  }

  fileprivate struct Page: Sendable {
    var transactions: [CommittedTransaction] = []
    var last: Int64
    var hasMore = false
  }

  fileprivate func page(_ connection: Connection, after position: Int64, _ filter: ChangeFilter) throws -> Page {
    let matcher = ChangeMatcher(filter)
    try checkKept(after: position, connection)
    var page = Page(last: max(position, matcher.after))
    var size = 0
    try transactions(connection, after: page.last) { transaction in
      page.last = transaction.number
      // What does not match counts too: a read must not go through the whole log in one snapshot.
      size += transaction.changes.count
      let changes = transaction.changes.filter(matcher.matches)
      if !changes.isEmpty { page.transactions.append(.init(number: transaction.number, changes: changes)) }
      page.hasMore = size >= ChangeFeed.Iterator.pageSize
      return !page.hasMore
    }
    return page
  }
}
