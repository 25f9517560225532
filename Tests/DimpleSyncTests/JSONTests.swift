import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("JSON of packs")
struct JSONTests {
  private func parse(_ text: String) throws -> JSON { try JSONParser.parse(Array(text.utf8)[...]) }

  private func write(_ json: JSON) -> String {
    var writer = JSONWriter()
    writer.value(json)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func integersAndRealsStayApart() throws {
    #expect(try parse("[1,1.0,1e0,-0.0,-0]") == .array([.integer(1), .real(1), .real(1), .real(-0.0), .integer(0)]))
    guard case .array(let values) = try parse("[-0.0]"), case .real(let zero) = values[0] else {
      Issue.record("not a real")
      return
    }
    #expect(zero.sign == .minus)
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "01", "1.", ".5", "+1", "1e", "nul", "\"\\x\"",
    "\"\u{1}\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u12\"", "9223372036854775808", "1e999", "[1] 2", "'a'", "\"", "{1:2}",
    "--1",
  ])
  func whatIsNotJSONIsRefused(text: String) {
    #expect(throws: SyncError.self) { try parse(text) }
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    #expect(throws: SyncError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
  }

  @Test func deepNestingIsRefusedWithoutOverflow() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: SyncError.self) { try parse(deep) }
  }

  @Test func escapesReadBack() throws {
    #expect(try parse(#""\u0041\n\t\"\\\/\ud83d\ude00\u0000""#) == .string("A\n\t\"\\/😀\0"))
  }

  @Test func everythingWrittenReadsBack() throws {
    for value in ValueSamples.all {
      var writer = JSONWriter()
      ValueJSON.write(value, to: &writer)
      #expect(try ValueJSON.read(JSONParser.parse(writer.bytes[...])) == value)
    }
  }

  @Test(arguments: [
    #"{"blob":"a"}"#, #"{"blob":1}"#, #"{"text":"YWJj"}"#, #"{"real":"nan"}"#, #"{"x":"YQ=="}"#, "true", "[]", "{}",
    #"{"blob":"YQ==","text":"/w=="}"#, #"{"blob":"YR=="}"#,
  ])
  func valuesHaveOneFormOnly(text: String) {
    #expect(throws: SyncError.self) { try ValueJSON.read(parse(text)) }
  }

  @Test func mutatedTextNeverTraps() {
    var random = SeededRandom(seed: 5)
    let original = Array(#"{"number":12,"time":7,"changes":[{"key":["é\u0000",1.5e3,{"blob":"AAE="}],"x":null}]}"#.utf8)
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if random.oneIn(3) { bytes.removeLast(random.below(bytes.count)) }
      if let json = try? JSONParser.parse(bytes[...]) {
        // What was understood can be written and is understood again.
        #expect((try? JSONParser.parse(Array(write(json).utf8)[...])) == json)
      }
    }
  }
}

/// The values at the edges of what SQLite can store.
enum ValueSamples {
  static let all: [SQLValue] = [
    .null, .integer(0), .integer(-1), .integer(.max), .integer(.min), .integer(1 << 53 + 1), .real(0), .real(-0.0),
    .real(0.1),
    .real(0.1 + 0.2), .real(1e300), .real(.leastNonzeroMagnitude), .real(-.greatestFiniteMagnitude), .real(.infinity),
    .real(-.infinity),
    .real(1), .text(""), .text("007"), .text("1e3"), .text(" 12 "), .text("a\0b"), .text("😀é"), .text("e\u{301}"),
    .text("\"\\\u{7F}\u{1}\n"), .blob([]), .blob([0, 255]), .invalidText([0xFF, 0x00]), .invalidText([0xC3]),
  ]
}
