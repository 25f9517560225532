/// The part of an S3 error document that says something.
struct S3ErrorDocument: Equatable {
  var code: String
  /// At most 300 characters, control characters left out: it goes into messages.
  var message: String
  /// The region the request should have named.
  var region: String?
  /// Where the bucket should be asked for.
  var endpoint: String?

  /// `nil` where the answer is none of S3's.
  init?(parsing body: [UInt8]) {
    guard let root = try? XMLParser.parse(body), root.name == "Error", let code = root["Code"]?.text else { return nil }
    self.code = Self.printable(code)
    message = Self.printable(root["Message"]?.text ?? "")
    region = root["Region"].map { Self.printable($0.text) }
    endpoint = root["Endpoint"].map { Self.printable($0.text) }
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(300).map(Character.init))
  }
}
