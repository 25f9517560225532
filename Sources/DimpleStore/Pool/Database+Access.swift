internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension Database {
  // MARK: - Reading

  /// Runs `body` in one snapshot of the database: what others commit meanwhile does not show.
  ///
  /// Blocks the calling thread. Concurrent with other reads and with writes.
  ///
  /// - Throws: ``StoreError/Code/nestedAccess`` inside another closure of this database; what `body` throws.
  public func read<T>(_ body: (Connection) throws -> T) throws -> T {
    try refuseNesting("read")
    let lease = try readers.take()
    defer { readers.giveBack(lease) }
    return try marked { try lease.connection.reading(body) }
  }

  /// Runs `body` in one snapshot of the database, suspending the task meanwhile.
  ///
  /// If the task is cancelled, the statement under way is interrupted and `CancellationError` is thrown.
  public func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    let lease = try await readers.take()
    return try await run(lease, of: readers) { try $0.reading(body) }
  }

  // MARK: - Writing

  /// Runs `body` in a write transaction: all of it is committed, or, if it throws, nothing.
  ///
  /// Blocks the calling thread. Writes run one after the other, in the order they were asked for.
  ///
  /// - Throws: ``StoreError/Code/nestedAccess`` inside another closure of this database; what `body` throws.
  @discardableResult
  public func write<T>(_ body: (Connection) throws -> T) throws -> T {
    try refuseNesting("write")
    let lease = try writer.take()
    defer { writer.giveBack(lease) }
    return try marked { try lease.connection.writing(in: self, body) }
  }

  /// Runs `body` in a write transaction, suspending the task meanwhile.
  ///
  /// If the task is cancelled before the commit, everything is rolled back and `CancellationError` is thrown.
  @discardableResult
  public func write<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    let lease = try await writer.take()
    return try await run(lease, of: writer) { try $0.writing(in: self, body) }
  }

  // MARK: - Merging

  /// Runs `body` in a write transaction in which no trigger fires and no foreign key is enforced.
  package func withMergeTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    try refuseNesting("merge")
    let lease = try writer.take()
    defer { writer.giveBack(lease) }
    return try marked { try lease.connection.merging(in: self, body) }
  }

  /// The asynchronous form.
  package func withMergeTransaction<T: Sendable>(
    _ body: @escaping @Sendable (Connection) throws -> T
  ) async throws -> T {
    let lease = try await writer.take()
    return try await run(lease, of: writer) { try $0.merging(in: self, body) }
  }

  /// Lends the writer outside a transaction.
  func withWriter<T>(_ body: (Connection) throws -> T) throws -> T {
    let lease = try writer.take()
    defer { writer.giveBack(lease) }
    return try body(lease.connection)
  }

  // MARK: - Running

  private func run<T: Sendable>(
    _ lease: ConnectionPool.Lease, of pool: ConnectionPool, _ body: @escaping @Sendable (Connection) throws -> T
  ) async throws -> T {
    let cancellation = Cancellation()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        queue.async {
          let result = Result { try self.marked { try cancellation.run(on: lease.connection, body) } }
          // First, so that who waits for this result finds the connection free.
          pool.giveBack(lease)
          continuation.resume(with: result)
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
  }

  /// A closure of this database that asks this database again would wait for itself, sooner or later.
  private func refuseNesting(_ operation: String) throws {
    guard activeThreads.withLock({ $0.contains(Self.thread) }) else { return }
    throw StoreError(
      .nestedAccess, operation: operation, message: "The call is inside a read or write of the same database.",
      hint: "Use the connection that the closure was given.")
  }

  private func marked<T>(_ body: () throws -> T) rethrows -> T {
    let thread = Self.thread
    activeThreads.withLock { _ = $0.insert(thread) }
    defer { activeThreads.withLock { _ = $0.remove(thread) } }
    return try body()
  }

  private static var thread: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }
}
