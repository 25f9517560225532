import Foundation
import Testing

@testable import DimpleS3

@Suite("Broken pipes")
struct BrokenPipesTests {
  @Test("A write that nobody reads is an error, not the end of the process") func survives() throws {
    for _ in 0..<3 {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      close(ends[0])
      defer { close(ends[1]) }
      let (count, number) = BrokenPipes.ignored { (write(ends[1], "x", 1), errno) }
      #expect(count == -1 && number == EPIPE)
    }
  }

  @Test("The thread's signal mask is as before") func restores() throws {
    func mask() -> Bool {
      var current = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &current)
      return sigismember(&current, SIGPIPE) == 1
    }
    let before = mask()
    BrokenPipes.ignored { #expect(mask()) }
    #expect(mask() == before)
  }
}
