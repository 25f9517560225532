/// A mistake of the person at the keyboard: one sentence, and what to do.
struct Failure: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}
