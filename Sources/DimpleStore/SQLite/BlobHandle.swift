internal import CSQLite

/// An open blob of SQLite's, confined to its connection, which closes it at the end of the transaction.
///
/// https://sqlite.org/c3ref/blob_open.html
final class BlobHandle {
  let connection: Connection
  private var handle: OpaquePointer?
  /// What a write through it changes; `nil` if nobody needs to know of it, or it is open to read.
  private let effects: StatementEffects?
  private(set) var count = 0

  init(_ location: BlobLocation, rowID: Int64, effects: StatementEffects?, isWriting: Bool, connection: Connection)
    throws
  {
    self.connection = connection
    self.effects = effects
    var opened: OpaquePointer?
    let result = sqlite3_blob_open(
      connection.handle, location.schema, location.table, location.column, rowID, isWriting ? 1 : 0, &opened)
    guard result == SQLITE_OK else {
      let error = connection.blobError(result, operation: "open blob")
      sqlite3_blob_close(opened)
      throw error
    }
    handle = opened
    count = Int(sqlite3_blob_bytes(opened))
    connection.openBlobs[ObjectIdentifier(self)] = WeakBlob(handle: self)
  }

  deinit { close() }

  func close() {
    guard let handle else { return }
    sqlite3_blob_close(handle)
    self.handle = nil
    connection.openBlobs[ObjectIdentifier(self)] = nil
  }

  func move(toRowID rowID: Int64) throws {
    let handle = try usable("move blob")
    let result = sqlite3_blob_reopen(handle, rowID)
    // A handle that could not be moved stands on no row, and has no bytes.
    count = Int(sqlite3_blob_bytes(handle))
    guard result == SQLITE_OK else { throw connection.blobError(result, operation: "move blob") }
  }

  /// Reads as many bytes as there are from the offset on, at most the buffer's; returns how many.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    let handle = try usable("read blob")
    try check(offset)
    let length = min(buffer.count, count - offset)
    guard length > 0, let base = buffer.baseAddress else { return 0 }
    let result = sqlite3_blob_read(handle, base, Int32(clamping: length), Int32(clamping: offset))
    guard result == SQLITE_OK else { throw connection.blobError(result, operation: "read blob") }
    return length
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    let handle = try usable("write blob")
    try check(offset)
    guard bytes.count <= count - offset else {
      throw StoreError(
        .tooBig, operation: "write blob",
        message: "\(bytes.count) bytes from \(offset) on are more than the blob's \(count) bytes hold.",
        hint: "A blob's size is given when it is stored: store a ZeroBlob of the wanted size first.")
    }
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
    let result = sqlite3_blob_write(handle, base, Int32(clamping: bytes.count), Int32(clamping: offset))
    // A write that failed may have got half-way.
    if let effects { connection.pending.note(effects) }
    guard result == SQLITE_OK else { throw connection.blobError(result, operation: "write blob") }
  }

  private func check(_ offset: Int) throws {
    guard offset < 0 || offset > count else { return }
    throw StoreError(
      .tooBig, operation: "use blob", message: "Offset \(offset) is not in the blob, which has \(count) bytes.")
  }

  private func usable(_ operation: String) throws -> OpaquePointer {
    try connection.checkUsable(operation: operation)
    guard let handle else {
      throw StoreError(
        .outsideClosure, operation: operation,
        message: "The blob was used after it was closed, or after the closure that it was opened in.",
        hint: "Read and write the blob inside the closure, before close().")
    }
    try connection.checkInterruption(sql: nil)
    try connection.checkTransaction(operation: operation, sql: nil)
    return handle
  }
}

/// Kept by the connection, for closing what is still open at the end of the transaction.
struct WeakBlob {
  weak var handle: BlobHandle?
}

/// Where a blob is, by the names in the schema.
struct BlobLocation {
  let schema: String
  let table: String
  let column: String
  /// As `PRAGMA table_list` says it: `table`, `view`, `virtual`, `shadow`.
  let kind: String
}

extension Connection {
  /// Opens the blob of a row to read, or to read and write.
  func openBlob(
    table: String, column: String, rowID: Int64, schema: String, isWriting: Bool
  ) throws -> BlobHandle {
    try checkUsable(operation: "open blob")
    try checkInterruption(sql: nil)
    try checkTransaction(operation: "open blob", sql: nil)
    let location = try blobLocation(table: table, column: column, schema: schema)
    var effects: StatementEffects?
    if isWriting {
      try checkBlobWrite(location)
      if location.schema != "temp" {
        let new = StatementEffects(isInternal: authorizer.isInternal)
        new.noteUpdate(table: location.table, column: location.column)
        if !new.writes.isEmpty { effects = new }
      }
    }
    return try BlobHandle(location, rowID: rowID, effects: effects, isWriting: isWriting, connection: self)
  }

  /// Closes all, before the transaction ends: an open blob would keep it open, and resetting its statement would leave it
  /// without one.
  func closeBlobs() {
    guard !openBlobs.isEmpty else { return }
    for blob in openBlobs.values { blob.handle?.close() }
    openBlobs.removeAll()
  }

  private func blobLocation(table: String, column: String, schema: String) throws -> BlobLocation {
    let found: BlobLocation? = try withInternalAccess {
      let statement = try prepare(
        """
        SELECT l.schema, l.name, l.type, c.name FROM pragma_table_list AS l, pragma_table_xinfo(l.name, l.schema) AS c
        WHERE l.name = ? COLLATE NOCASE AND l.schema = ? COLLATE NOCASE AND c.name = ? COLLATE NOCASE
        """)
      defer { statement.endUse() }
      try statement.bindAll([.text(table), .text(schema), .text(column)])
      guard try statement.step() else { return nil }
      return BlobLocation(
        schema: statement.text(0), table: statement.text(1), column: statement.text(3), kind: statement.text(2))
    }
    if let found { return found }
    throw StoreError(
      .sqlError, operation: "open blob", message: "There is no column '\(column)' in a table '\(schema).\(table)'.",
      hint: "Check the names; a table of another schema than main is found by schema:.")
  }

  /// What SQLite does not ask the authorizer.
  private func checkBlobWrite(_ location: BlobLocation) throws {
    guard access == .write else {
      throw StoreError(
        .readOnly, operation: "open blob", message: "A blob is opened to write, inside a read.",
        hint: "Use write { }, or readBlob.")
    }
    guard !authorizer.isInternal else { return }
    let name = location.table
    guard !ReservedNames.contains(name), !name.lowercased().hasPrefix("sqlite_"), location.kind != "shadow" else {
      throw StoreError(
        .notAllowed, operation: "open blob",
        message: "'\(name)' belongs to the store, to SQLite or to a virtual table, and is not for writing.",
        hint: "Write to the tables that you made.")
    }
    guard location.schema == "main" else { return }
    try withInternalAccess {
      for observer in configuration.extensions {
        try observer.willWriteBlob(self, table: name, column: location.column)
      }
    }
  }

  /// The error of a blob function. https://sqlite.org/c3ref/blob_open.html lists what SQLite refuses.
  func blobError(_ result: Int32, operation: String) -> StoreError {
    var error = error(result, operation: operation, sql: nil)
    switch result & 0xFF {
    case SQLITE_ABORT:
      error.code = .blobExpired
      error.message = "The row was changed, deleted or rolled back since the blob was opened."
      error.hint = "Open the blob again."
    case SQLITE_ERROR where error.message.hasPrefix("no such rowid"):
      error.code = .rowNotFound
      if !configuration.exposesValuesInErrors { error.message = "There is no row with the rowid." }
      error.hint = "A row's rowid is its INTEGER PRIMARY KEY, or SELECT rowid finds it."
    case SQLITE_ERROR where error.message.hasPrefix("cannot open value of type"):
      error.code = .typeMismatch
      error.hint = "Only text and blobs are read and written as streams: store a ZeroBlob first."
    case SQLITE_ERROR where error.message.hasPrefix("cannot open"):
      error.code = .notAllowed
      error.hint = """
        Only a column of an ordinary table with rowids, and to write only one that is in no index, key or foreign key, can be \
        opened as a stream; use SELECT and UPDATE.
        """
    default: break
    }
    return error
  }
}
