#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Where a database lives.
enum DatabasePlace: Sendable, Hashable {
  case memory
  /// An absolute path: connections are opened when they are needed, and the process may have changed its folder by then.
  case file(String)

  init(_ path: String) throws {
    guard !path.isEmpty else {
      // SQLite would open a temporary file, another one for each connection.
      throw StoreError(
        .cannotOpen, operation: "open", message: "The path is empty.",
        hint: "Give a file's path, or use Database.inMemory.")
    }
    if path == ":memory:" {
      self = .memory
    } else if path.hasPrefix("/") {
      self = .file(path)
    } else {
      self = .file(FileManager.default.currentDirectoryPath + "/" + path)
    }
  }

  /// As SQLite takes it.
  var path: String {
    switch self {
    case .memory: ":memory:"
    case .file(let path): path
    }
  }
}
