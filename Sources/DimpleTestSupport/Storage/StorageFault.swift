/// What a ``FaultyStorage`` does wrong in one request.
public enum StorageFault: String, Sendable, Hashable, CaseIterable {
  /// Nothing is carried out, and a passing error comes back. Any request.
  case failBefore
  /// The request is carried out, and a passing error comes back all the same. Any request.
  case failAfter
  /// A get gives only a beginning of the object.
  case truncate
  /// A get gives the object with one bit flipped.
  case corrupt
  /// A get does not find the object.
  case lose
  /// A list gives the page it gave for the same question before.
  case stale
  /// A list leaves one object out.
  case omit
  /// A list names one object twice.
  case duplicate
  /// A list is in no order.
  case reorder
}

/// One request to a storage, as a ``FaultSchedule`` sees it.
public struct StorageRequest: Sendable, Hashable {
  /// What is asked for.
  public enum Operation: String, Sendable, Hashable {
    case list, get, put, delete
  }

  /// What is asked for.
  public let operation: Operation
  /// The key; a list's prefix and cursor.
  public let key: String
  /// Among all requests to the storage, from 1.
  public let number: Int
  /// Among the requests with this operation and key, from 1.
  public let occurrence: Int
  /// The faults that make a difference to this operation.
  public var possibleFaults: [StorageFault] {
    switch operation {
    case .list: [.failBefore, .stale, .omit, .duplicate, .reorder]
    case .get: [.failBefore, .truncate, .corrupt, .lose]
    case .put, .delete: [.failBefore, .failAfter]
    }
  }
}
