import DimpleRemote
import Testing

@Suite("Errors of the far side")
struct RemoteErrorTests {
  @Test(
    "The far side is left alone for an hour at most",
    arguments: [
      (nil, nil), (.seconds(7), .seconds(7)), (.seconds(3601), .seconds(3600)), (.seconds(Int64.max), .seconds(3600)),
      (.seconds(-1), .zero),
    ] as [(Duration?, Duration?)])
  func retryAfter(asked: Duration?, granted: Duration?) {
    var error = RemoteError(.throttled, operation: "any", message: "Slow down.", retryAfter: asked)
    #expect(error.retryAfter == granted)
    error.retryAfter = .seconds(1)
    error.retryAfter = asked
    #expect(error.retryAfter == granted)
  }
}
