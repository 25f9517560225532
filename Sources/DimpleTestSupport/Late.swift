internal import DimpleMutex

/// A value that comes later, or changes, for closures that were made before.
public final class Late<Value: Sendable>: Sendable {
  private let state: Mutex<Value?>

  /// - Parameter value: The first, if there is one yet.
  public init(_ value: Value? = nil) { state = Mutex(value) }

  /// The value of now.
  public var value: Value? {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// Counts from 1, from any thread.
public final class Counter: Sendable {
  private let count = Mutex(0)

  /// At 0.
  public init() {}

  /// One more.
  public func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}
