#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What makes this process's writes fail as those to a failing disk do.
public enum FileLimit {
  /// The system refused.
  public struct Refused: Error {}

  /// How large a file may become by what this process writes; whatever the system allows if `nil`.
  public static func set(_ byteCount: UInt64?) throws {
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
}
