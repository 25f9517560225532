#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Tells the demonstration: a numbered headline a step, indented lines below it.
final class Narrator {
  private var step = 0
  private let isColored = isatty(STDOUT_FILENO) == 1

  func headline(_ text: String) {
    step += 1
    Console.print(styled("\n\(step). \(text)", "1"))
  }

  func line(_ text: String) { Console.print("   " + text) }

  func success(_ text: String) { Console.print("   " + styled("✓ ", "32") + text) }

  private func styled(_ text: String, _ code: String) -> String {
    isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
