#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Whole files.
enum FileSystem {
  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func readText(_ path: String) throws -> String {
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw Failure("The file \(path) is not UTF-8 text.")
    }
    return text
  }

  static func read(_ path: String) throws -> [UInt8] {
    do { return try [UInt8](Data(contentsOf: URL(filePath: path))) } catch {
      throw Failure("Cannot read \(path): \(error)")
    }
  }

  /// Readable by this user alone.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: attributes) else {
      throw Failure("Cannot write \(path).")
    }
  }

  /// Copies a database with what was committed to it and is not in its main file yet: the write-ahead log, or the rollback
  /// journal of a program that died. The source is not opened, so not a byte beside it changes.
  static func copyDatabase(_ source: String, to target: String) throws {
    for suffix in ["", "-wal", "-journal"] where suffix.isEmpty || exists(source + suffix) {
      do { try FileManager.default.copyItem(atPath: source + suffix, toPath: target + suffix) } catch {
        throw Failure("Cannot copy \(source)\(suffix): \(error)")
      }
    }
  }

  /// A new folder that only this user can read.
  static func makeTemporaryFolder(_ prefix: String) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(prefix)-\(UUID().uuidString.lowercased())")
      .path()
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return path
  }

  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
