internal import DimpleRemote

/// Where a server listens: the scheme, host and port of its URL, and a path that comes before every other.
struct S3Endpoint: Sendable, Hashable {
  /// `http` or `https`.
  let scheme: String
  /// Lowercase, with the port unless it is the scheme's own: what `Host` carries.
  let authority: String
  /// Empty, or beginning with a slash and not ending in one.
  let path: String

  /// - Throws: ``RemoteError/Code/invalidConfiguration``.
  init(_ text: String) throws {
    let pieces = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard pieces.count == 2 else {
      // Not quoted: it may hold a password.
      throw Self.invalid("The endpoint is no URL.", hint: "Write https:// before the host.")
    }
    scheme = pieces[0].lowercased()
    guard scheme == "https" || scheme == "http" else {
      throw Self.invalid("The scheme \(scheme) is not supported.", hint: "Use https.")
    }
    let rest = pieces[1]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    guard !rest.contains("@") else {
      throw Self.invalid("The URL holds a user or a password.", hint: "Give the keys apart from the endpoint.")
    }
    guard !rest.contains(where: { $0 == "?" || $0 == "#" || $0 == "%" || $0.isWhitespace }) else {
      throw Self.invalid("The URL holds more than a host and a path.", hint: "Leave queries and spaces out.")
    }
    authority = try Self.authority(String(rest[..<slash]), scheme: scheme)
    var path = String(rest[slash...])
    while path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  private static func authority(_ text: String, scheme: String) throws -> String {
    var host = text.lowercased()
    // An IPv6 address has colons of its own, in brackets.
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
      guard let port = UInt16(host[host.index(after: colon)...]), port != 0 else {
        throw invalid("The port of \(text) is none.", hint: "Use a number from 1 to 65535.")
      }
      if port == (scheme == "https" ? 443 : 80) { host = String(host[..<colon]) }
    }
    guard !host.isEmpty, !host.hasPrefix(":"), host.utf8.allSatisfy(isHostByte) else {
      throw invalid("\(text) is no host name.", hint: "Use https://host or https://host:port.")
    }
    return host
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
      true
    default: false
    }
  }

  private static func invalid(_ message: String, hint: String) -> RemoteError {
    RemoteError(.invalidConfiguration, operation: "read endpoint", message: message, hint: hint)
  }
}
