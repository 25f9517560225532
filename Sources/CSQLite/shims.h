#pragma once

#include <sqlite3.h>

// What Swift cannot import: variadic functions and macros that cast.

/// Sets a boolean connection option (SQLITE_DBCONFIG_*); `value` is 0, 1 or -1 to read only. Returns an SQLite result code.
static inline int dimple_sqlite3_db_config(sqlite3 *db, int option, int value, int *current) {
  return sqlite3_db_config(db, option, value, current);
}

static inline sqlite3_destructor_type dimple_sqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline sqlite3_destructor_type dimple_sqlite_static(void) { return SQLITE_STATIC; }
