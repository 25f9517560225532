internal import DimpleMutex

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A place for one connection in a lane, opened when it is first used.
final class Slot: @unchecked Sendable {  // the lane lends it to one holder at a time, so `connection` is confined
  private var connection: Connection?
  private let open: @Sendable () throws -> Connection
  let canReopen: Bool
  private var wasOpened = false
  /// Where async callers' closures run, off the cooperative pool, which must never wait for a disk.
  let worker: Worker
  private let owner = Atomic<UInt>(0)
  /// Stops what runs; what comes after it is not concerned.
  let stop = CancellationFlag()

  init(label: String, canReopen: Bool, open: @escaping @Sendable () throws -> Connection) {
    self.open = open
    self.canReopen = canReopen
    worker = Worker(label: label)
  }

  /// Whether a closure on this thread has the connection. Closures are synchronous, so a thread has at most one.
  var isHeldByCurrentThread: Bool { owner.load(ordering: .relaxed) == Self.currentThread }

  /// Runs the body with the connection, on this thread.
  func run<T>(cancellation: CancellationFlag?, _ body: (Connection) throws -> T) throws -> T {
    owner.store(Self.currentThread, ordering: .relaxed)
    defer { owner.store(0, ordering: .relaxed) }
    let connection = try opened()
    connection.interruption.flag = cancellation
    connection.interruption.stop = stop
    defer {
      connection.interruption.ignoreRequests()
      if connection.isBroken { close() }
    }
    return try body(connection)
  }

  /// The connection, if it was ever needed. Only for the holder.
  ///
  /// - Parameter checkpointing: whether SQLite is to empty the write-ahead log if nobody else has the file open.
  func close(checkpointing: Bool = true) {
    connection?.close(checkpointing: checkpointing)
    connection = nil
  }

  private func opened() throws -> Connection {
    if let connection { return connection }
    guard canReopen || !wasOpened else {
      throw StoreError(
        .closed, operation: "open", message: "The in-memory database was lost when its connection failed.")
    }
    let new = try open()
    wasOpened = true
    connection = new
    return new
  }

  private static var currentThread: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }
}
