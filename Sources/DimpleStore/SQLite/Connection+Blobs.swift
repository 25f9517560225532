extension Connection {
  /// Opens the text or blob of one row and column to be read piece by piece.
  ///
  /// - Parameters:
  ///   - table: an ordinary table with rowids; views, virtual tables and `WITHOUT ROWID` tables have none.
  ///   - column: of text or blob in this row.
  ///   - rowID: the row's `INTEGER PRIMARY KEY`, or its rowid: `SELECT rowid FROM … WHERE …`.
  ///   - schema: `main`, `temp`, or the name of an attached database.
  /// - Throws: ``StoreError``: `rowNotFound`; `typeMismatch` for a number or `NULL`; `sqlError` for names that are not
  ///   there; `notAllowed` for a table without rowids; `outsideClosure`.
  public func readBlob(
    table: String, column: String, rowID: Int64, schema: String = "main"
  ) throws -> BlobReader {
    BlobReader(try openBlob(table: table, column: column, rowID: rowID, schema: schema, isWriting: false))
  }

  /// Opens the text or blob of one row and column to be written piece by piece; its size stays.
  ///
  /// No triggers fire, and no constraint is checked: what triggers keep in step, such as a full-text index, is left behind.
  ///
  /// - Parameters: as for ``readBlob(table:column:rowID:schema:)``.
  /// - Throws: ``StoreError``: as that, and `readOnly` inside a read; `notAllowed` for a table whose changes are tracked, a
  ///   column of an index, a key or a foreign key, and the store's own tables.
  public func writeBlob(
    table: String, column: String, rowID: Int64, schema: String = "main"
  ) throws -> BlobWriter {
    BlobWriter(try openBlob(table: table, column: column, rowID: rowID, schema: schema, isWriting: true))
  }
}
