#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Writing to a connection that the other side closed raises SIGPIPE, which ends the process unless somebody says no.
///
/// libcurl avoids it where it writes itself; under TLS some versions leave the writing to OpenSSL.
enum BrokenPipes {
  /// Runs `body` with SIGPIPE held off from this thread; such writes fail with `EPIPE` instead. Other threads, and what the app
  /// wants of the signal, are not touched.
  static func ignored<Result>(during body: () throws -> Result) rethrows -> Result {
    var pipe = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    let wasPending = isPending
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer {
      // A signal held off is delivered later, unless it is taken here.
      var taken: Int32 = 0
      if !wasPending, isPending { sigwait(&pipe, &taken) }
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return try body()
  }

  private static var isPending: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, SIGPIPE) == 1
  }
}
