internal import CSQLite
internal import Logging

/// What became of one run of a statement; see ``Configuration/trace``.
public struct StatementTrace: Sendable {
  /// The statement as it was written; with the values in place if ``Configuration/exposesValuesInErrors`` is set.
  public let sql: String
  /// From its first step to its end, the time between its rows included.
  public let duration: Duration
  /// How many rows it returned.
  public let rowCount: Int
}

/// Measures the statements of one connection. Confined with it.
final class StatementTracer {
  private struct Run {
    let start: ContinuousClock.Instant
    var rowCount = 0
  }

  private let report: (StatementTrace) -> Void
  private let showsValues: Bool
  private var runs: [OpaquePointer: Run] = [:]

  /// `nil` if nobody wants to know.
  init?(_ configuration: Configuration) {
    let logger = configuration.logger.flatMap { $0.logLevel <= .trace ? $0 : nil }
    guard configuration.trace != nil || logger != nil else { return nil }
    let hook = configuration.trace
    showsValues = configuration.exposesValuesInErrors
    report = { trace in
      hook?(trace)
      logger?.trace(
        "Ran a statement",
        metadata: ["sql": "\(trace.sql)", "duration": "\(trace.duration)", "rows": "\(trace.rowCount)"])
    }
  }

  /// https://sqlite.org/c3ref/trace_v2.html
  func install(on connection: Connection) {
    connection.tracer = self
    let events = UInt32(SQLITE_TRACE_STMT | SQLITE_TRACE_ROW | SQLITE_TRACE_PROFILE)
    sqlite3_trace_v2(
      connection.handle, events,
      { event, context, statement, _ in
        guard let context, let statement else { return 0 }
        Unmanaged<StatementTracer>.fromOpaque(context).takeUnretainedValue()
          .traced(Int32(bitPattern: event), OpaquePointer(statement))
        return 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func traced(_ event: Int32, _ statement: OpaquePointer) {
    switch event {
    case SQLITE_TRACE_STMT:
      // A trigger that begins inside the statement is told as a comment.
      if runs[statement] == nil { runs[statement] = Run(start: .now) }
    case SQLITE_TRACE_ROW:
      runs[statement]?.rowCount += 1
    default:
      guard let run = runs.removeValue(forKey: statement) else { return }
      report(StatementTrace(sql: text(of: statement), duration: run.start.duration(to: .now), rowCount: run.rowCount))
    }
  }

  private func text(of statement: OpaquePointer) -> String {
    if showsValues, let expanded = sqlite3_expanded_sql(statement) {
      defer { sqlite3_free(expanded) }
      return String(cString: expanded)
    }
    return sqlite3_sql(statement).map { String(cString: $0) } ?? ""
  }
}
