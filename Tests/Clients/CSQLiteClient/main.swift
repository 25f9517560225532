import CSQLite

// A connection, one value in and out: the library is linked and its shims work.
var database: OpaquePointer?
precondition(sqlite3_open(":memory:", &database) == SQLITE_OK)
precondition(dimple_sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nil) == SQLITE_OK)
var statement: OpaquePointer?
precondition(sqlite3_prepare_v2(database, "SELECT ?", -1, &statement, nil) == SQLITE_OK)
precondition(sqlite3_bind_text(statement, 1, "ok", -1, dimple_sqlite_transient()) == SQLITE_OK)
precondition(sqlite3_step(statement) == SQLITE_ROW)
print(String(cString: sqlite3_column_text(statement, 0)))
sqlite3_finalize(statement)
sqlite3_close(database)
