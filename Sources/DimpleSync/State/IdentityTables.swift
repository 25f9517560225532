/// The tables of what is known about oneself and others beyond the vector; made with ``SyncTables``.
///
/// ```
/// dimple_own_pack(vault, key, replica, first, last, before, after, size)   packs under the own names, put or compared
/// dimple_former(vault, replica, last, chain)    how far the log of a former name is in each vault
/// dimple_former_key(replica, key)               the private keys of former names
/// dimple_contested(vault, key, own)             own packs under former names beyond the parting; others', sent once more (0)
/// dimple_postponed(vault, replica, first, last, time)   transactions from the future, left alone until then
/// dimple_trusted(replica, first, last)          of those, what the app accepts all the same
/// dimple_heard(vault, replica, number, time, vector)    what the newest pack of each replica said
/// dimple_gap(vault, key, replica, first, last)          packs merged that leave changes out
/// dimple_unlisted(vault, replica, first, last)          what should be in the vault and was not in the last listing
/// ```
enum IdentityTables {
  static let statements = [
    """
    CREATE TABLE IF NOT EXISTS dimple_own_pack(
      vault TEXT NOT NULL, key TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      before BLOB NOT NULL, after BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY(vault, key)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_former(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, last INTEGER NOT NULL, chain BLOB NOT NULL,
      PRIMARY KEY(vault, replica)) WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS dimple_former_key(replica INTEGER PRIMARY KEY, key BLOB NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS dimple_contested(
      vault TEXT NOT NULL, key TEXT NOT NULL, own INTEGER NOT NULL, PRIMARY KEY(vault, key)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_postponed(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      time INTEGER NOT NULL, PRIMARY KEY(vault, replica, first)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_trusted(
      replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY(replica, first, last)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_heard(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL,
      vector BLOB NOT NULL, PRIMARY KEY(vault, replica)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_gap(
      vault TEXT NOT NULL, key TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY(vault, key, first)) WITHOUT ROWID
    """,
    """
    CREATE INDEX IF NOT EXISTS dimple_gap_replica ON dimple_gap(vault, replica)
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_unlisted(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY(vault, replica, first)) WITHOUT ROWID
    """,
  ]
}
