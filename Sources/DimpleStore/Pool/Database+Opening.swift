#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Database {
  /// A new, empty database in a file of its own in the system's temporary folder, removed when the last reference to it
  /// is gone: with snapshots and concurrent readers, as in memory there are none.
  public static func temporary(
    configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws -> Database {
    let folder = try TemporaryPlace()
    return try Database(
      folder.path + "/temporary.db", configuration: configuration, migrations: migrations, lifetime: folder
    ) { _ in }
  }

  /// A database in memory with the contents of a file, which is left as it is: for trying things out, and for tests.
  ///
  /// The file is read as of one moment, other programs' commits up to then included. Migrations are applied to the copy.
  ///
  /// - Throws: ``StoreError``: `cannotOpen`, `notADatabase`, `corrupt`, or what a migration threw.
  public static func inMemoryCopy(
    of path: String, configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws -> Database {
    var source = Configuration()
    source.isReadOnly = true
    source.encryptionKey = configuration.encryptionKey
    let original = try Database(path, configuration: source)
    defer { original.readers.close() }
    return try Database(":memory:", configuration: configuration, migrations: migrations, lifetime: nil) { copy in
      try original.readers.run { try $0.copyAll(to: copy, pagesPerStep: -1) { _ in } }
    }
  }
}

/// A folder that is removed with the last reference to it.
private final class TemporaryPlace: Sendable {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dimple-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StoreError(
        .cannotOpen, operation: "open", message: "The temporary folder cannot be used.", underlying: error)
    }
    path = folder.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
