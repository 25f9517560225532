/// Which keys every ``ObjectStorage`` takes: the common ground of object stores and file systems.
///
/// 1 to 512 bytes of `[A-Za-z0-9._/-]`; its segments, between the slashes, have 1 to 255 bytes and are neither `.` nor `..`.
/// (S3 allows 1,024 bytes, of which a prefix takes its part; 255 is the longest file name of common file systems.)
public enum KeyRules {
  /// In bytes.
  public static let maximumLength = 512
  /// The longest run between two slashes, in bytes.
  public static let maximumSegmentLength = 255

  /// Whether every storage takes the key.
  public static func isValid(_ key: String) -> Bool { violation(of: key) == nil }

  /// Refuses a key that breaks the rules; backends call this first in `get`, `put` and `delete`.
  ///
  /// - Parameter operation: What was being done, for the error.
  /// - Throws: ``RemoteError/Code/invalidKey``.
  public static func validate(_ key: String, operation: String) throws(RemoteError) {
    guard let violation = violation(of: key) else { return }
    throw RemoteError(
      .invalidKey, operation: operation, message: "The key \(violation).",
      hint: "Keys are 1 to \(maximumLength) bytes of A-Z a-z 0-9 . _ - with / between segments.")
  }

  private static func violation(of key: String) -> String? {
    let bytes = key.utf8
    guard !bytes.isEmpty else { return "is empty" }
    guard bytes.count <= maximumLength else { return "has \(bytes.count) bytes" }
    guard bytes.allSatisfy(isAllowed) else { return "holds a character that is not allowed" }
    for segment in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      guard !segment.isEmpty else { return "has an empty segment" }
      guard segment.count <= maximumSegmentLength else { return "has a segment of \(segment.count) bytes" }
      guard !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else {
        return "has a segment of dots alone"
      }
    }
    return nil
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"):
      true
    default: false
    }
  }
}
