internal import DimpleMutex
package import DimpleStore

/// A copy of a database file takes a replica id of its own before it writes anything.
extension Changelog {
  private static let fileName = "file"
  private static let copiedName = "copied"

  /// Whether the file is not known to be the one that it was when it was last opened.
  func hasMoved(_ connection: Connection) throws -> Bool {
    guard options.detectsCopies, let now = try fileText(connection) else { return false }
    return try !isSame(now, storedFile(connection))
  }

  /// In the first write transaction of a connection, before anything is logged: makes a copy another replica.
  func takeOwnIdentity(_ connection: Connection) throws {
    guard options.detectsCopies, let now = try fileText(connection) else { return }
    let stored = try storedFile(connection)
    if isSame(now, stored) { return }
    let meta = MetaTable(connection: connection)
    try meta.set(Self.fileName, .text(now))
    // Of a database from before this was noted, nothing is known.
    guard stored != nil else { return }
    // What is in the log by now, the other copy has too: it keeps its name.
    let last = try lastTransaction(connection)
    try meta.set(Self.copiedName, .integer(last))
    try replaceReplicaID(connection, after: last)
  }

  /// A backup says that it is one: also where its bytes are later written over those of its original, whose file stays the
  /// same.
  package func didCopy(to copy: Connection) throws {
    guard options.detectsCopies, try LogTables.exist(copy) else { return }
    try copy.withInternalAccess {
      let meta = MetaTable(connection: copy)
      if try storedFile(copy) != nil { try meta.set(Self.fileName, .text("")) }
    }
  }

  /// The last transaction that was in the log when this database was found to be a copy; `nil` where that is not so, or sync
  /// has heard of it.
  package func copiedAfter(_ connection: Connection) throws -> Int64? {
    guard try LogTables.exist(connection),
      case .integer(let number) = try MetaTable(connection: connection)[Self.copiedName]
    else { return nil }
    return number
  }

  /// Sync has heard of it.
  package func forgetCopied(_ connection: Connection) throws {
    try MetaTable(connection: connection).set(Self.copiedName, .null)
  }

  private func storedFile(_ connection: Connection) throws -> String? {
    guard case .text(let text) = try MetaTable(connection: connection)[Self.fileName] else { return nil }
    return text
  }

  private func isSame(_ now: String, _ stored: String?) -> Bool {
    guard let stored, now != stored else { return stored != nil }
    guard let first = FileIdentity(text: now), let second = FileIdentity(text: stored) else { return false }
    return first.isSame(as: second)
  }

  /// `nil` where nothing tells the file from another.
  private func fileText(_ connection: Connection) throws -> String? {
    let statement = try connection.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'")
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    let path = statement.isNull(0) ? "" : statement.text(0)
    // In memory, or a temporary file: nobody opens it a second time.
    if path.isEmpty { return "memory \(memoryNumber)" }
    return FileIdentity(path: path)?.text
  }
}
