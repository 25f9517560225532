/// The standard library's `Mutex` and `Atomic`, in a form that the thread sanitizer understands.
///
/// On Linux the standard library's `Mutex` is a futex, of which the sanitizer knows nothing: it would report a race in every
/// use of one. Compiled with `THREAD_SANITIZER`, as `scripts/test` does for its sanitized run, this module puts a mutex of the
/// C library in its place; in any other build it adds nothing.
@_exported public import Synchronization

#if THREAD_SANITIZER
  #if canImport(Glibc)
    internal import Glibc
  #elseif canImport(Musl)
    internal import Musl
  #elseif canImport(Android)
    internal import Android
  #elseif canImport(Darwin)
    internal import Darwin
  #endif

  /// Protects a value: whoever reads or writes it holds the lock. As the standard library's.
  public struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {  // The value is touched under the lock only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// Protects the value from now on.
    public init(_ initialValue: consuming sending Value) {
      lock = .allocate(capacity: 1)
      lock.initialize(to: pthread_mutex_t())
      pthread_mutex_init(lock, nil)
      value = .allocate(capacity: 1)
      value.initialize(to: initialValue)
    }

    deinit {
      pthread_mutex_destroy(lock)
      lock.deallocate()
      value.deinitialize(count: 1)
      value.deallocate()
    }

    /// Calls `body` with the value while nobody else has it.
    public borrowing func withLock<Result: ~Copyable, E: Error>(
      _ body: (inout sending Value) throws(E) -> sending Result
    ) throws(E) -> sending Result {
      pthread_mutex_lock(lock)
      defer { pthread_mutex_unlock(lock) }
      return try body(&value.pointee)
    }
  }
#endif
