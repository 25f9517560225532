internal import Dispatch
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// Notices commits of other processes: waits until the kernel says that the write-ahead log was written, then asks SQLite
/// whether anybody else did it (`PRAGMA data_version`, https://sqlite.org/pragma.html#pragma_data_version).
///
/// The log is written a moment before the commit counts, and the kernel tells of the write only: if the answer is no, it asks
/// again, at doubling intervals up to a second, and then rests. Where the kernel cannot tell (not Linux), it asks once a
/// second.
final class ExternalCommitWatcher: Sendable {
  private struct State {
    var source: (any DispatchSourceProtocol)?
    var isStopped = false
    var dataVersion: Int64?
    /// Counts what the kernel told; asking again ends where there is newer news.
    var newsCount = 0
  }

  private let path: String
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "DimpleStore.watch")

  init(path: String) { self.path = path }

  /// Starts watching, unless it does already.
  func start(_ database: Database) {
    let isFirst = state.withLock { state in
      guard state.source == nil, !state.isStopped else { return false }
      state.source = makeSource()
      return state.source != nil
    }
    guard isFirst else { return }
    state.withLock { state in
      state.source?.setEventHandler { [weak self, weak database] in
        guard let self, let database else { return }
        self.drain()
        self.checkAgain(database, news: self.state.withLock { $0.newsCount += 1; return $0.newsCount }, after: 1)
      }
      state.source?.activate()
    }
    queue.async { [weak self, weak database] in
      if let self, let database { self.check(database) }
    }
  }

  func stop() {
    let source = state.withLock { state in
      state.isStopped = true
      defer { state.source = nil }
      return state.source
    }
    source?.cancel()
  }

  /// - Parameter delay: Until the next time, in milliseconds.
  private func checkAgain(_ database: Database, news: Int, after delay: Int) {
    guard state.withLock({ $0.newsCount == news && !$0.isStopped }) else { return }
    if check(database) || delay > 1000 { return }
    queue.asyncAfter(deadline: .now() + .milliseconds(delay)) { [weak self, weak database] in
      if let self, let database { self.checkAgain(database, news: news, after: delay * 2) }
    }
  }

  /// On the writer, whose data version changes only by others' commits, its own do not count.
  ///
  /// - Returns: Whether somebody else has committed.
  @discardableResult
  private func check(_ database: Database) -> Bool {
    let version = try? database.withWriter { connection in
      let statement = try connection.prepare("PRAGMA data_version")
      defer { statement.reset() }
      return try statement.step() ? statement.int64(0) : 0
    }
    guard let version else { return false }
    // The first answer counts as news: somebody may have committed since the observer last looked.
    let isNew = state.withLock { state in
      defer { state.dataVersion = version }
      return state.dataVersion != version
    }
    if isNew { database.broadcast.send(CommitEvent(isExternal: true)) }
    return isNew
  }

  #if canImport(Glibc)
    private let descriptor = Atomic<Int32>(-1)

    private func makeSource() -> (any DispatchSourceProtocol)? {
      let descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
      guard descriptor >= 0 else { return makeTimer() }
      // The log exists for as long as a connection is open, which the writer is.
      let mask = UInt32(IN_MODIFY)
      guard inotify_add_watch(descriptor, path + "-wal", mask) >= 0 else {
        close(descriptor)
        return makeTimer()
      }
      self.descriptor.store(descriptor, ordering: .relaxed)
      let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
      source.setCancelHandler { close(descriptor) }
      return source
    }

    /// Takes what the kernel has told off the descriptor, so that it can tell again.
    private func drain() {
      let descriptor = self.descriptor.load(ordering: .relaxed)
      guard descriptor >= 0 else { return }
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
        while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
      }
    }
  #else
    private func makeSource() -> (any DispatchSourceProtocol)? { makeTimer() }

    private func drain() {}
  #endif

  private func makeTimer() -> any DispatchSourceProtocol {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(200))
    return timer
  }
}
