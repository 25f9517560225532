#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Database {
  /// Copies the database, as of one moment, to a new file, while others read and write.
  ///
  /// The file appears under its name when it is complete. The copy takes one of the readers. Run it on a thread that may
  /// wait, or use the asynchronous form.
  ///
  /// - Parameters:
  ///   - path: where there must be no file yet.
  ///   - pagesPerStep: pages (of 4 KiB, usually) between two reports, at least 1.
  ///   - progress: called after each step on this thread; what it throws ends the backup, leaves no file, and is thrown.
  /// - Throws: ``StoreError``: `cannotOpen` if the file exists or cannot be written, `diskFull`, `ioFailed`, `corrupt`,
  ///   `interrupted`.
  public func backup(
    to path: String, pagesPerStep: Int = 256, progress: (BackupProgress) throws -> Void = { _ in }
  ) throws {
    try checkNotNested(operation: "back up")
    try readers.run { try $0.backUp(to: path, pagesPerStep: pagesPerStep, progress) }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends the backup, leaves no file and
  /// throws `CancellationError`.
  public func backup(
    to path: String, pagesPerStep: Int = 256,
    progress: @escaping @Sendable (BackupProgress) throws -> Void = { _ in }
  ) async throws {
    try await readers.run { try $0.backUp(to: path, pagesPerStep: pagesPerStep, progress) }
  }

  /// Copies the database, as of one moment, to a new file without gaps and free pages (`VACUUM INTO`): smaller than
  /// ``backup(to:pagesPerStep:progress:)``, slower, and without progress.
  ///
  /// - Throws: ``StoreError``: `cannotOpen` if the file exists, `diskFull`, `ioFailed`, `corrupt`, `interrupted`.
  public func vacuum(into path: String) throws {
    try checkNotNested(operation: "vacuum")
    try readers.run { try $0.vacuum(into: path) }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling leaves no file.
  public func vacuum(into path: String) async throws {
    try await readers.run { try $0.vacuum(into: path) }
  }
}

extension Connection {
  fileprivate func backUp(
    to path: String, pagesPerStep: Int, _ progress: (BackupProgress) throws -> Void
  ) throws {
    try writeNewFile(path, operation: "back up") { partial in
      try withCopy(partial) { try copyAll(to: $0, pagesPerStep: Int32(clamping: max(1, pagesPerStep)), progress) }
    }
  }

  /// Calls `body` with a connection to a file that nobody else has.
  private func withCopy(_ path: String, _ body: (Connection) throws -> Void) throws {
    var plain = Configuration()
    plain.encryptionKey = configuration.encryptionKey
    plain.journalMode = .delete
    let copy = try Connection(place: .file(path), role: .writer, configuration: plain, commits: CommitHub())
    try copy.setUp()
    defer { copy.close() }
    try body(copy)
  }

  fileprivate func vacuum(into path: String) throws {
    try writeNewFile(path, operation: "vacuum") { partial in
      // The new file is written too: https://sqlite.org/pragma.html#pragma_query_only
      try executeControl("PRAGMA query_only = OFF")
      defer { restoreQueryOnly() }
      try withInternalAccess { try executeControl("VACUUM INTO \(SQL.quoted(literal: partial))", operation: "vacuum") }
    }
  }

  private func restoreQueryOnly() {
    guard role == .reader else { return }
    do { try executeControl("PRAGMA query_only = ON") } catch { isBroken = true }
  }

  /// Writes under a name beside the wanted one, and renames at the end: a file that is there is complete.
  private func writeNewFile(_ path: String, operation: String, _ write: (String) throws -> Void) throws {
    guard case .file(let target) = try DatabasePlace(path), !FileManager.default.fileExists(atPath: target) else {
      throw StoreError(
        .cannotOpen, operation: operation, message: "There is a file at the destination already.",
        hint: "Give the path of a file that does not exist, or remove it first.")
    }
    let partial = "\(target)-\(UUIDv7().description)"
    do {
      try write(partial)
      if !configuration.extensions.isEmpty {
        try withCopy(partial) { copy in
          try copy.inWriteTransaction { copy in try configuration.extensions.forEach { try $0.didCopy(to: copy) } }
        }
      }
      try FileManager.default.moveItem(atPath: partial, toPath: target)
    } catch {
      for suffix in ["", "-journal", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: partial + suffix) }
      if error is StoreError || error is CancellationError { throw error }
      guard error is CocoaError else { throw error }
      throw StoreError(
        .ioFailed, operation: operation, message: "The finished file could not be renamed.", underlying: error)
    }
  }
}
