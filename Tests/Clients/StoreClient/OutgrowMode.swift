import DimpleStore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes until the system refuses, as a failing disk would, then with room enough again. Says the error's code, and how many
/// transactions were committed before and in the end.
enum OutgrowMode {
  static func run(_ path: String) throws {
    let db = try Database(
      path,
      migrations: [Migration("schema", "CREATE TABLE batch (number INTEGER); CREATE TABLE filler (x BLOB)")])
    try limitFiles(to: 400_000)
    var committed = 0
    var code: StoreError.Code?
    while code == nil {
      do {
        try write(committed + 1, to: db)
        committed += 1
      } catch let error as StoreError { code = error.code }
    }
    try limitFiles(to: nil)
    try write(committed + 1, to: db)
    print(code.map { "\($0)" } ?? "", committed, try db.count("SELECT * FROM batch"))
    try db.close()
  }

  private static func write(_ number: Int, to db: Database) throws {
    try db.write { connection in
      try connection.execute("INSERT INTO batch VALUES (\(number))")
      for _ in 0..<10 { try connection.execute("INSERT INTO filler VALUES (randomblob(3000))") }
    }
  }

  /// How large a file may become by what this process writes; whatever the system allows if `nil`.
  private static func limitFiles(to byteCount: UInt64?) throws {
    // Without a handler, the process would end.
    signal(SIGXFSZ, SIG_IGN)
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    #else
      let resource = RLIMIT_FSIZE
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { throw Refused() }
    limit.rlim_cur = byteCount.map { rlim_t($0) } ?? limit.rlim_max
    guard setrlimit(resource, &limit) == 0 else { throw Refused() }
  }

  private struct Refused: Error {}
}
