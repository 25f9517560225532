internal import DimpleMutex
public import DimpleStore

/// Named steps that a person can undo and redo, of the writes made through it.
///
/// ```swift
/// let undo = try UndoStack(db)
/// try undo.write("Rename list") { try $0.save(list) }
/// undo.undoName                       // "Rename list", for the menu
/// try undo.undo()
/// try undo.redo()
/// ```
///
/// Only what is written through the stack is on it: not what a sync brings, nor what other parts of the app write. Each
/// undo and redo is an ordinary transaction, which is tracked, synced and observed; ``Changelog/undo(transaction:force:)``
/// says when it refuses, and then the stack stays as it is. A new write empties the redo side.
///
/// The stack is of this process and keeps transactions' numbers, no values: those are in the log. Where others' changes are
/// merged and their values not kept (``Changelog/Options/keepsMergedValues``), or the log is not kept whole
/// (``Changelog/Options/retention``), it keeps what a step's rows were, unless the database is in memory. The log of its steps
/// is kept as long as they are on it, or until another process trims the log.
///
/// Safe to use from any thread; undo, redo and writes come one after the other.
public final class UndoStack: Sendable {
  private struct Step {
    var name: String
    /// Of ``begin(_:)``; writes of the same group are one step.
    var group: UInt64?
    var transactions: Set<Int64>
    var kept: KeptRows = [:]
  }

  private struct State {
    var undo: [Step] = []
    var redo: [Step] = []
    var group: (id: UInt64, name: String)?
    var depth = 0
    var lastGroup: UInt64 = 0
  }

  private enum Direction { case undo, redo }

  private let database: Database
  private let changelog: Changelog
  private let limit: Int
  private let state = Mutex(State())

  /// An empty stack for a database.
  ///
  /// - Parameter limit: The most steps to be kept, at least 1; the oldest are forgotten.
  /// - Throws: ``ChangelogError`` `.notAttached` for a database without change tracking.
  public init(_ database: Database, limit: Int = 100) throws {
    self.database = database
    self.limit = max(1, limit)
    changelog = try database.requireChangelog(for: "undo")
  }

  deinit { changelog.hold(ObjectIdentifier(self), from: nil) }

  // MARK: - What there is

  /// Whether there is a step to undo.
  public var canUndo: Bool { state.withLock { !$0.undo.isEmpty } }
  /// Whether there is a step to redo.
  public var canRedo: Bool { state.withLock { !$0.redo.isEmpty } }
  /// The name of the step that ``undo(force:)`` undoes; `nil` if there is none.
  public var undoName: String? { state.withLock { $0.undo.last?.name } }
  /// The name of the step that ``redo(force:)`` redoes; `nil` if there is none.
  public var redoName: String? { state.withLock { $0.redo.last?.name } }
  /// The names of all steps that can be undone, the next one last.
  public var undoNames: [String] { state.withLock { $0.undo.map(\.name) } }

  /// Forgets all steps; the database stays as it is.
  public func removeAll() {
    state.withLock { state in
      state.undo = []
      state.redo = []
    }
    hold()
  }

  /// What is on the stack must stay in the log.
  private func hold() {
    let first = state.withLock { state in (state.undo + state.redo).compactMap { $0.transactions.min() }.min() }
    changelog.hold(ObjectIdentifier(self), from: first)
  }

  // MARK: - Writing

  /// Writes in one transaction, as `Database.write`, that is a step of the stack; one that changes nothing is none.
  ///
  /// - Parameter name: What people call it, for a menu. Inside ``begin(_:)`` and ``end()``, the group's name counts.
  @discardableResult
  public func write<T>(_ name: String, _ body: (Connection) throws -> T) throws -> T {
    try database.write { try record($0, name, body) }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func write<T: Sendable>(_ name: String, _ body: @escaping @Sendable (Connection) throws -> T) async throws -> T
  {
    try await database.write { try self.record($0, name, body) }
  }

  /// Begins a group: all writes through the stack until the matching ``end()`` are one step. Groups nest; the outermost
  /// counts.
  public func begin(_ name: String) {
    state.withLock { state in
      state.depth += 1
      guard state.depth == 1 else { return }
      state.lastGroup += 1
      state.group = (state.lastGroup, name)
    }
  }

  /// Ends the group that was begun last; without one, does nothing.
  public func end() {
    state.withLock { state in
      state.depth = max(0, state.depth - 1)
      if state.depth == 0 { state.group = nil }
    }
  }

  private func record<T>(_ connection: Connection, _ name: String, _ body: (Connection) throws -> T) throws -> T {
    let last = try changelog.lastTransaction(connection)
    let result = try body(connection)
    let number = try changelog.lastTransaction(connection)
    if number > last {
      let kept = try changelog.rowsBefore(connection, after: last, in: database)
      change(connection) { state in
        state.redo = []
        if let group = state.group, let step = state.undo.last, step.group == group.id {
          state.undo[state.undo.count - 1].transactions.insert(number)
          state.undo[state.undo.count - 1].kept[number] = kept
        } else {
          state.undo.append(
            Step(
              name: state.group?.name ?? name, group: state.group?.id, transactions: [number], kept: [number: kept]))
        }
      }
    }
    return result
  }

  /// Changes the steps, unless the transaction is rolled back.
  private func change(_ connection: Connection, _ body: (inout State) -> Void) {
    let old = state.withLock { state in
      let old = (undo: state.undo, redo: state.redo)
      body(&state)
      state.undo.removeFirst(max(0, state.undo.count - limit))
      state.redo.removeFirst(max(0, state.redo.count - limit))
      return old
    }
    hold()
    connection.onRollback {
      self.state.withLock { state in (state.undo, state.redo) = old }
      self.hold()
    }
  }

  // MARK: - Undo and redo

  /// Undoes the last step, in one transaction.
  ///
  /// - Parameter force: Undoes even where later changes by others are lost.
  /// - Returns: The step's name.
  /// - Throws: ``ChangelogError``: `.nothingToUndo`; as ``Changelog/undo(transaction:force:)``. The stack is then as it was.
  @discardableResult
  public func undo(force: Bool = false) throws -> String {
    try database.write { try move($0, .undo, force) }
  }

  /// Redoes the step that was undone last, in one transaction.
  ///
  /// - Parameter force: Redoes even where later changes by others are lost.
  /// - Returns: The step's name.
  /// - Throws: As ``undo(force:)``.
  @discardableResult
  public func redo(force: Bool = false) throws -> String {
    try database.write { try move($0, .redo, force) }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func undo(force: Bool = false) async throws -> String {
    try await database.write { try self.move($0, .undo, force) }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func redo(force: Bool = false) async throws -> String {
    try await database.write { try self.move($0, .redo, force) }
  }

  private func move(_ connection: Connection, _ direction: Direction, _ force: Bool) throws -> String {
    let step = state.withLock { direction == .undo ? $0.undo.last : $0.redo.last }
    guard let step else {
      throw ChangelogError(
        .nothingToUndo, operation: direction == .undo ? "undo" : "redo", message: "There is no step.",
        hint: "Ask canUndo and canRedo.")
    }
    // What undoes an undo is a redo.
    let last = try changelog.lastTransaction(connection)
    let number = try changelog.undo(connection, step.transactions, kept: step.kept, force: force)
    var opposite = Step(name: step.name, group: nil, transactions: [])
    if let number {
      opposite.transactions = [number]
      opposite.kept = [number: try changelog.rowsBefore(connection, after: last, in: database)]
    }
    change(connection) { state in
      switch direction {
      case .undo:
        state.undo.removeLast()
        state.redo.append(opposite)
      case .redo:
        state.redo.removeLast()
        state.undo.append(opposite)
      }
    }
    return step.name
  }
}
