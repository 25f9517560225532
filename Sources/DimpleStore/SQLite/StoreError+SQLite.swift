internal import CSQLite

extension StoreError {
  /// From an extended result code.
  init(sqliteCode: Int32, operation: String, sql: String?, sqliteMessage: String) {
    let (code, hint) = Self.meaning(of: sqliteCode)
    self.init(code, operation: operation, sql: sql, message: sqliteMessage, hint: hint)
    self.sqliteCode = sqliteCode
  }

  private static func meaning(of code: Int32) -> (Code, String) {
    switch code & 0xFF {
    case SQLITE_CONSTRAINT: (constraint(code), "")
    case SQLITE_BUSY, SQLITE_LOCKED:
      (.busy, "Another connection is writing; try again, or raise Configuration.busyTimeout.")
    case SQLITE_FULL: (.diskFull, "Free some space and try again; nothing of the transaction was kept.")
    case SQLITE_CORRUPT:
      (.corrupt, "Restore a backup, or recover what can be read with the sqlite3 program's .recover.")
    case SQLITE_NOTADB: (.notADatabase, "Check the path; an encrypted database needs its key.")
    case SQLITE_READONLY: (.readOnly, "Check the file's permissions, and that the write is inside write { }.")
    case SQLITE_IOERR: (.ioFailed, "Check the disk and its permissions; nothing of the transaction was kept.")
    case SQLITE_CANTOPEN: (.cannotOpen, "Check that the folder exists and may be written.")
    case SQLITE_PERM: (.cannotOpen, "Check the file's permissions.")
    case SQLITE_INTERRUPT: (.interrupted, "")
    case SQLITE_SCHEMA: (.schemaChanged, "")
    case SQLITE_MISMATCH: (.dataTypeConstraint, "")
    case SQLITE_TOOBIG: (.tooBig, "")
    case SQLITE_NOMEM: (.outOfMemory, "")
    case SQLITE_MISUSE, SQLITE_RANGE: (.misuse, "")
    case SQLITE_AUTH: (.notAllowed, "")
    case SQLITE_ERROR: (.sql, "")
    default: (.other, "")
    }
  }

  private static func constraint(_ code: Int32) -> Code {
    // The macros are (SQLITE_CONSTRAINT | (n << 8)), which Swift does not import.
    switch code >> 8 {
    case 1: .checkConstraint
    case 3: .foreignKeyConstraint
    case 5: .notNullConstraint
    case 6, 10: .primaryKeyConstraint
    case 8: .uniqueConstraint
    case 12: .dataTypeConstraint
    default: .otherConstraint
    }
  }
}
