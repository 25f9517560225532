#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// A new, empty folder that goes, with what is in it, when released.
public final class TemporaryFolder: Sendable {
  /// Absolute, without a slash at its end.
  public let path: String

  /// Makes it below the system's temporary folder.
  ///
  /// - Throws: What the file system says.
  public init() throws {
    let name = "dimple-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    path = FileManager.default.temporaryDirectory.appending(path: name).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file or folder in it.
  public func path(_ name: String) -> String { "\(path)/\(name)" }
}
