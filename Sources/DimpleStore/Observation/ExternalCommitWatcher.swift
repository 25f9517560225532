internal import DimpleMutex
internal import Dispatch
internal import Logging

#if canImport(Glibc)
  internal import Glibc
#endif

/// Notices other processes' commits, and those of another `Database` of the same file.
///
/// On Linux, inotify tells when the write-ahead log changes; elsewhere, or where inotify is not to be had, a timer does.
/// Then ``CommitHub`` looks on the writer, if it is idle; if it is not, its own transaction has looked or will.
package final class ExternalCommitWatcher: @unchecked Sendable {  // its variables are used on its queue only
  private let queue = DispatchQueue(label: "dimple.external-commits")
  private let look: @Sendable () -> Bool
  private var schedule = LookSchedule()
  private var source: (any DispatchSourceProtocol)?

  /// How often to look where the system does not tell.
  private static let pollInterval = DispatchTimeInterval.seconds(1)

  /// - Parameter look: looks, and tells the observers; false if the writer was busy.
  init(logPath: String, look: @escaping @Sendable () -> Bool) {
    self.look = look
    // The system's signs begin here, before the caller goes on: what is committed from now on is noticed.
    let source = Self.makeSource(logPath: logPath, queue: queue)
    self.source = source
    source.setEventHandler { [weak self] in self?.signCame() }
    source.activate()
  }

  deinit { source?.cancel() }

  private func signCame() {
    #if canImport(Glibc)
      if let source = source as? any DispatchSourceRead { Self.drain(Int32(source.handle)) }
    #endif
    run(schedule.signCame())
  }

  private func run(_ next: LookSchedule.Look?) {
    guard let next else { return }
    if !look() { schedule.lookFailed() }
    queue.asyncAfter(deadline: .now() + .milliseconds(next.delayMilliseconds)) { [weak self] in
      guard let self else { return }
      self.run(self.schedule.timerFired(next.timer))
    }
  }

  private static func makeSource(logPath: String, queue: DispatchQueue) -> any DispatchSourceProtocol {
    #if canImport(Glibc)
      if let source = makeFileSource(logPath: logPath, queue: queue) { return source }
    #endif
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + pollInterval, repeating: pollInterval, leeway: .milliseconds(200))
    return timer
  }

  #if canImport(Glibc)
    /// https://man7.org/linux/man-pages/man7/inotify.7.html
    private static func makeFileSource(logPath: String, queue: DispatchQueue) -> (any DispatchSourceProtocol)? {
      let descriptor = inotify_init1(O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      guard inotify_add_watch(descriptor, logPath, UInt32(IN_MODIFY)) >= 0 else {
        close(descriptor)
        return nil
      }
      let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
      source.setCancelHandler { close(descriptor) }
      return source
    }

    /// What changed is of no interest, only that something did.
    private static func drain(_ descriptor: Int32) {
      withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
        while read(descriptor, buffer.baseAddress, buffer.count) > 0 {}
      }
    }
  #endif
}

/// The watcher that all observations of a database share, while there is one.
struct WeakWatcher {
  weak var watcher: ExternalCommitWatcher?
}

extension Database {
  /// The database's watcher, started if nobody has observed so far; `nil` in memory, where nobody else can commit.
  func watcher() -> ExternalCommitWatcher? {
    guard case .file(let path) = place else { return nil }
    return watcherBox.withLock { box in
      if let running = box.watcher { return running }
      let new = ExternalCommitWatcher(logPath: path + "-wal") { [weak writer, commits, logger = configuration.logger] in
        do {
          return try writer?.runIfIdle { connection in
            try connection.inReadTransaction { try commits.noticeExternalCommit(on: $0) }
          } ?? true
        } catch {
          // The next look, or the next write transaction, tries again.
          logger?.debug("Looking for other commits failed", metadata: ["error": "\(error)"])
          return false
        }
      }
      box.watcher = new
      return new
    }
  }
}
