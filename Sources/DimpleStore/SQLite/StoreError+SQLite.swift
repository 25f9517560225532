internal import CSQLite

extension StoreError {
  /// The error of a result code, with what is known of its remedy.
  ///
  /// https://sqlite.org/rescode.html
  static func sqlite(_ result: Int32, message: String, operation: String, sql: String?) -> StoreError {
    let (code, hint) = meaning(of: result)
    return StoreError(code, extendedCode: result, operation: operation, sql: sql, message: message, hint: hint)
  }

  private static func meaning(of result: Int32) -> (Code, String) {
    switch result & 0xFF {
    case SQLITE_BUSY, SQLITE_LOCKED:
      (.busy, "Another connection or program is writing. Try again, or raise Configuration.busyTimeout.")
    case SQLITE_FULL: (.diskFull, "Free some space and try again; the database is intact.")
    case SQLITE_CORRUPT: (.corrupt, "Restore a backup, or recover what is left with the sqlite3 program's .recover.")
    case SQLITE_NOTADB: (.notADatabase, "Check the path: the file is no SQLite database, or it is encrypted.")
    case SQLITE_READONLY: (.readOnly, "Check the permissions of the file and of its folder; in a read, use write { }.")
    case SQLITE_IOERR:
      (.ioFailed, "Check the disk and the folder's permissions; the last transaction was not committed.")
    case SQLITE_CANTOPEN: (.cannotOpen, "Check that the folder exists and that the file may be read and written.")
    case SQLITE_PERM: (.cannotOpen, "Check the permissions of the file and of its folder.")
    case SQLITE_NOMEM: (.outOfMemory, "")
    case SQLITE_TOOBIG: (.tooBig, "SQLite's limit for a value, a row or a statement is a billion bytes.")
    case SQLITE_INTERRUPT: (.interrupted, "")
    case SQLITE_ABORT: (.transactionLost, "The statement was stopped by a rollback; run it again.")
    case SQLITE_AUTH: (.notAllowed, "")
    case SQLITE_CONSTRAINT: constraint(result)
    case SQLITE_MISMATCH: (.dataTypeConstraint, "Give the column a value of its type.")
    default: (.sqlError, "")
    }
  }

  private static func constraint(_ result: Int32) -> (Code, String) {
    switch result {
    case dimple_SQLITE_CONSTRAINT_UNIQUE, dimple_SQLITE_CONSTRAINT_PRIMARYKEY, dimple_SQLITE_CONSTRAINT_ROWID:
      (.uniqueConstraint, "A row with the same key exists: save it instead of inserting, or choose another key.")
    case dimple_SQLITE_CONSTRAINT_FOREIGNKEY:
      (.foreignKeyConstraint, "Write the row that is referred to first, or remove the rows that refer to this one.")
    case dimple_SQLITE_CONSTRAINT_NOTNULL: (.notNullConstraint, "Give the column a value.")
    case dimple_SQLITE_CONSTRAINT_CHECK: (.checkConstraint, "Give the column a value that the table's CHECK allows.")
    case dimple_SQLITE_CONSTRAINT_DATATYPE: (.dataTypeConstraint, "Give the column a value of its type.")
    default: (.constraint, "")
    }
  }
}
