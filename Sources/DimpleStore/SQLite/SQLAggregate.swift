internal import CSQLite

/// An aggregate function in Swift: a result from the rows of a group; see ``Configuration/aggregates``.
///
/// ```swift
/// SQLAggregate("product", argumentCount: 1, initial: 1.0) { product, arguments in
///   product *= try Double(sqlValue: arguments[0])
/// } result: { .real($0) }
/// ```
public struct SQLAggregate: Sendable {
  /// Its name in SQL.
  public let name: String
  /// How many arguments it takes; any number if `nil`.
  public let argumentCount: Int?
  fileprivate let makeGroup: @Sendable () -> any SQLAggregateGroup

  /// An aggregate that starts each group with `initial`, takes in a row at a time, and makes the result of it at the end;
  /// a group without rows is `result(initial)`.
  ///
  /// The closures run on the thread of the statement and must not use the database. What they throw makes the statement
  /// fail with code `functionFailed`.
  public init<State: Sendable>(
    _ name: String, argumentCount: Int? = nil, initial: State,
    step: @escaping @Sendable (inout State, [SQLValue]) throws -> Void,
    result: @escaping @Sendable (State) throws -> SQLValue
  ) {
    self.name = name
    self.argumentCount = argumentCount
    makeGroup = { Group(state: initial, takeIn: step, result: result) }
  }

  private final class Group<State: Sendable>: SQLAggregateGroup {
    private var state: State
    private let takeIn: @Sendable (inout State, [SQLValue]) throws -> Void
    private let result: @Sendable (State) throws -> SQLValue

    init(
      state: State, takeIn: @escaping @Sendable (inout State, [SQLValue]) throws -> Void,
      result: @escaping @Sendable (State) throws -> SQLValue
    ) {
      self.state = state
      self.takeIn = takeIn
      self.result = result
    }

    func step(_ values: [SQLValue]) throws { try takeIn(&state, values) }
    func finish() throws -> SQLValue { try result(state) }
  }
}

/// One group's rows so far.
private protocol SQLAggregateGroup: AnyObject {
  func step(_ values: [SQLValue]) throws
  func finish() throws -> SQLValue
}

/// What SQLite keeps for an aggregate.
private final class AggregateBox {
  /// The connection owns the box by way of SQLite, and outlives it.
  private unowned let connection: Connection
  private let aggregate: SQLAggregate

  init(connection: Connection, aggregate: SQLAggregate) {
    self.connection = connection
    self.aggregate = aggregate
  }

  static func of(_ context: OpaquePointer?) -> AggregateBox? {
    sqlite3_user_data(context).map { Unmanaged<AggregateBox>.fromOpaque($0).takeUnretainedValue() }
  }

  func step(_ context: OpaquePointer?, _ count: Int32, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
    let size = Int32(MemoryLayout<UnsafeMutableRawPointer?>.size)
    guard let memory = sqlite3_aggregate_context(context, size) else {
      sqlite3_result_error_nomem(context)
      return
    }
    // SQLite's memory of the group, zeroed at first: it keeps the group alive until the end.
    let place = memory.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    let pointer = place.pointee ?? Unmanaged.passRetained(aggregate.makeGroup() as AnyObject).toOpaque()
    place.pointee = pointer
    guard let group = Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue() as? any SQLAggregateGroup
    else { return }
    let call = FunctionCall(context: context, arguments: arguments, count: count)
    do {
      try group.step((0..<call.argumentCount).map { call.value($0) })
    } catch { fail(context, error) }
  }

  /// Called for each group, also after an error; without rows, without a memory.
  func finish(_ context: OpaquePointer?) {
    let memory = sqlite3_aggregate_context(context, 0)?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    let held = memory?.pointee.map { Unmanaged<AnyObject>.fromOpaque($0).takeRetainedValue() }
    memory?.pointee = nil
    let group = held as? any SQLAggregateGroup ?? aggregate.makeGroup()
    do {
      FunctionCall(context: context, arguments: nil, count: 0).setResult(try group.finish())
    } catch { fail(context, error) }
  }

  private func fail(_ context: OpaquePointer?, _ error: any Error) {
    // The first error is the cause; what follows from it is not.
    if connection.functionError == nil { connection.functionError = error }
    let message = (error as? StoreError)?.message ?? String(describing: error)
    sqlite3_result_error(context, message, Int32(clamping: message.utf8.count))
  }
}

extension Connection {
  func register(_ aggregate: SQLAggregate) throws {
    let box = Unmanaged.passRetained(AggregateBox(connection: self, aggregate: aggregate))
    let result = sqlite3_create_function_v2(
      handle, aggregate.name, Int32(clamping: aggregate.argumentCount ?? -1), SQLITE_UTF8, box.toOpaque(), nil,
      { context, count, arguments in AggregateBox.of(context)?.step(context, count, arguments) },
      { context in AggregateBox.of(context)?.finish(context) },
      { data in data.map { Unmanaged<AggregateBox>.fromOpaque($0).release() } })
    guard result == SQLITE_OK else { throw error(result, operation: "create function \(aggregate.name)", sql: nil) }
  }
}
