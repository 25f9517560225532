/// The statement in whose first step SQLite is: the step in which a statement writes all that it writes, its triggers' and
/// foreign keys' part included. Confined with its connection.
package final class RunningStatement {
  /// Of each run another one, from 1; 0 when none is running. Of statements that functions run inside it, their own.
  @exclusivity(unchecked) package internal(set) var number: UInt64 = 0
  /// It may end with an error and leave what it wrote so far, as `FAIL` has it: https://sqlite.org/lang_conflict.html.
  /// What the schema says of conflicts does not count here, but for temporary triggers.
  @exclusivity(unchecked) package internal(set) var mayFail = false
  @exclusivity(unchecked) private var lastNumber: UInt64 = 0

  /// Nothing is running.
  package init() {}

  /// Runs the body as a statement's first step.
  ///
  /// - Returns: What it returns, and the statement's number.
  func run(mayFail: Bool, _ body: () -> Int32) -> (result: Int32, number: UInt64) {
    let outer = (number, self.mayFail)
    lastNumber += 1
    let own = lastNumber
    (number, self.mayFail) = (own, mayFail)
    defer { (number, self.mayFail) = outer }
    return (body(), own)
  }
}
