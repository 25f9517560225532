#pragma once

#include <sqlite3.h>

// What Swift cannot import: variadic functions and macros that cast or compute.

/// Sets a boolean connection option (SQLITE_DBCONFIG_*); `value` is 0, 1 or -1 to read only. Returns an SQLite result code.
static inline int dimple_sqlite3_db_config(sqlite3 *db, int option, int value, int *current) {
  return sqlite3_db_config(db, option, value, current);
}

static inline sqlite3_destructor_type dimple_sqlite_transient(void) { return SQLITE_TRANSIENT; }
static inline sqlite3_destructor_type dimple_sqlite_static(void) { return SQLITE_STATIC; }

static const int dimple_SQLITE_CONSTRAINT_CHECK = SQLITE_CONSTRAINT_CHECK;
static const int dimple_SQLITE_CONSTRAINT_DATATYPE = SQLITE_CONSTRAINT_DATATYPE;
static const int dimple_SQLITE_CONSTRAINT_FOREIGNKEY = SQLITE_CONSTRAINT_FOREIGNKEY;
static const int dimple_SQLITE_CONSTRAINT_NOTNULL = SQLITE_CONSTRAINT_NOTNULL;
static const int dimple_SQLITE_CONSTRAINT_PRIMARYKEY = SQLITE_CONSTRAINT_PRIMARYKEY;
static const int dimple_SQLITE_CONSTRAINT_ROWID = SQLITE_CONSTRAINT_ROWID;
static const int dimple_SQLITE_CONSTRAINT_UNIQUE = SQLITE_CONSTRAINT_UNIQUE;
