import DimpleRemote
import Testing

@Suite("Key rules")
struct KeyRulesTests {
  @Test(
    "Plain paths are keys",
    arguments: ["a", "log/abc.age", "A-Z_a.z-0.9", "...", ".hidden", "a/..b", String(repeating: "x", count: 255)])
  func valid(key: String) throws {
    #expect(KeyRules.isValid(key))
    try KeyRules.validate(key, operation: "get")
  }

  @Test(
    "Everything a file system or a server might understand differently is not a key",
    arguments: [
      "", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "../a", "a b", "a\nb", "a\u{0}", "é", "e\u{301}", "a\\b", "a:b",
      "a%2F",
      "a?b", "~a", String(repeating: "x", count: 256), String(repeating: "ab/", count: 200) + "a",
    ])
  func invalid(key: String) throws {
    #expect(!KeyRules.isValid(key))
    let error = #expect(throws: RemoteError.self) { try KeyRules.validate(key, operation: "put it") }
    #expect(error?.code == .invalidKey)
    #expect(error?.operation == "put it")
    #expect(error?.isRetryable == false)
  }
}
