#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A folder as the far side: on a shared disk, a stick, or kept in step by another program.
///
/// An object is a file whose path below the folder is its key. It is written under a temporary name in the hidden folder
/// `.incoming~`, flushed to the disk, and only then given its own name: whoever looks sees the old object or the new one.
/// Several processes and machines may use one folder at once. The folder is made by the first put if its parent is there.
public final class DirectoryStorage: ObjectStorage {
  /// `~` is in no key, so the folder can be no object's.
  static let incomingFolder = ".incoming~"
  static let pageSize = 1000

  /// The folder, absolute.
  public let path: String
  private let calls: FileCalls
  private let queues = BlockingQueues(label: "dimple.directory", count: 4)
  private let sweep = LeftoverSweep()

  /// Uses the folder at `path`; nothing is read or made yet.
  ///
  /// - Parameter path: Absolute, or relative to the working directory of now.
  /// - Throws: ``RemoteError/Code/invalidConfiguration`` for a path that cannot be one.
  public convenience init(_ path: String) throws {
    try self.init(path, fault: { _ in nil })
  }

  /// - Parameter fault: Asked before each call to the file system; a number makes it fail with that `errno`.
  package init(_ path: String, fault: @escaping @Sendable (FileStep) -> Int32?) throws {
    self.path = try Self.absolute(path)
    calls = FileCalls(fault: fault)
  }

  /// The folder's path.
  public var description: String { path }

  /// See ``ObjectStorage/list(prefix:after:)``. A folder that is yet to be made is empty.
  ///
  /// - Throws: ``RemoteError/Code/bucketNotFound`` when not even the folder's parent is there.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await run("list \(prefix)") { [self] in
      let listing = DirectoryListing(
        calls: calls, root: path, prefix: prefix, after: cursor?.token ?? "", limit: Self.pageSize)
      if let page = try listing.page() { return page }
      try requirePlace(operation: "list \(prefix)")
      return ListPage(objects: [])
    }
  }

  /// See ``ObjectStorage/get(_:maximumSize:)``.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    let operation = "get \(key)"
    try KeyRules.validate(key, operation: operation)
    return try await run(operation) { [self] in
      switch try calls.read(file(key), maximumSize: maximumSize) {
      case .whole(let bytes):
        return bytes
      case .tooLarge(let size):
        throw RemoteError.objectTooLarge(key, size: size, maximumSize: maximumSize)
      case .missing:
        try requirePlace(operation: operation)
        throw RemoteError.noSuchObject(key)
      }
    }
  }

  /// See ``ObjectStorage/put(_:_:condition:)``. The condition is honoured, except on file systems without hard links.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    let operation = "put \(key)"
    try KeyRules.validate(key, operation: operation)
    try await run(operation) { [self] in
      if condition == .ifAbsent, try calls.status(file(key))?.isFile == true { throw RemoteError.objectExists(key) }
      let temporary = try writeTemporary(bytes, operation: operation)
      // Gone by now if the move succeeded; if not, the failure to report is the one before.
      defer { _ = try? calls.removeFile(temporary) }
      try publish(temporary, as: key, condition: condition)
    }
  }

  /// See ``ObjectStorage/delete(_:)``. Folders left empty go too.
  public func delete(_ key: String) async throws {
    let operation = "delete \(key)"
    try KeyRules.validate(key, operation: operation)
    try await run(operation) { [self] in
      guard try calls.status(file(key))?.isFolder != true else { return }
      guard try calls.removeFile(file(key)) else { return try requirePlace(operation: operation) }
      try calls.syncFolder(Self.parent(of: file(key)))
      var folder = Self.parent(of: file(key))
      while folder.count > path.count, calls.removeEmptyFolder(folder) { folder = Self.parent(of: folder) }
    }
  }
}

// MARK: - Putting

extension DirectoryStorage {
  /// Writes the bytes under a name nobody looks at; returns its path.
  private func writeTemporary(_ bytes: [UInt8], operation: String) throws -> String {
    let incoming = "\(path)/\(Self.incomingFolder)"
    let temporary = "\(incoming)/\(String(UInt64.random(in: .min ... .max), radix: 16))"
    do {
      try calls.create(temporary, bytes)
    } catch {
      guard [ENOENT, ENOTDIR].contains(error.number) else { throw error }
      try requirePlace(operation: operation)
      try calls.makeFolder(path)
      try calls.makeFolder(incoming)
      try calls.syncFolder(Self.parent(of: path))
      try calls.create(temporary, bytes)
    }
    sweep.runOnce(calls: calls, folder: incoming, newest: temporary)
    return temporary
  }

  /// Gives the temporary file its name.
  private func publish(_ temporary: String, as key: String, condition: PutCondition) throws {
    let target = file(key)
    // Another's delete may remove the emptied folder in between, again and again; not forever.
    for _ in 1...16 {
      do {
        try moveOrLink(temporary, to: target, condition: condition)
        return try calls.syncFolder(Self.parent(of: target))
      } catch {
        switch error.number {
        case ENOENT:
          do {
            try makeFolders(above: key)
          } catch {
            // Removed again while the next was made: once more.
            guard error.number == ENOENT else { throw error }
          }
        case EISDIR, EEXIST, ENOTEMPTY:
          // An empty folder is what a delete left behind when it was interrupted.
          if calls.removeEmptyFolder(target) { continue }
          if try calls.status(target)?.isFolder == true { throw FileFailure(step: .publish, number: EISDIR) }
          throw RemoteError.objectExists(key)
        default:
          throw error
        }
      }
    }
    throw FileFailure(step: .publish, number: ENOENT)
  }

  private func moveOrLink(
    _ temporary: String, to target: String, condition: PutCondition
  ) throws(FileFailure) {
    guard condition == .ifAbsent else { return try calls.move(temporary, to: target) }
    do {
      try calls.link(temporary, to: target)
    } catch  where [EPERM, ENOTSUP, EMLINK, ENOSYS].contains(error.number) {
      // No hard links here (FAT, some shares): stored without the condition, as the contract allows.
      try calls.move(temporary, to: target)
    }
  }

  /// Makes the folders that the key names, and waits until their names are on the disk.
  private func makeFolders(above key: String) throws(FileFailure) {
    var folder = path
    for segment in key.split(separator: "/").dropLast() {
      let parent = folder
      folder += "/\(segment)"
      guard try calls.status(folder) == nil else { continue }
      try calls.makeFolder(folder)
      try calls.syncFolder(parent)
    }
  }
}

// MARK: - Paths

extension DirectoryStorage {
  private func file(_ key: String) -> String { "\(path)/\(key)" }

  /// Tells a folder that is yet to be made from one that is lost: its parent is there, or not.
  private func requirePlace(operation: String) throws {
    if try calls.isFolder(path) { return }
    guard try calls.status(path) == nil else {
      throw RemoteError(
        .invalidConfiguration, operation: operation, message: "\(path) is not a folder.",
        hint: "Choose another path.")
    }
    if try calls.isFolder(Self.parent(of: path)) { return }
    throw RemoteError(
      .bucketNotFound, operation: operation, message: "There is no folder \(Self.parent(of: path)).",
      hint: "Check the path \(path), and that the disk is connected.")
  }

  private func run<Result: Sendable>(
    _ operation: String, _ body: @escaping @Sendable () throws -> Result
  ) async throws -> Result {
    do {
      return try await queues.run(body)
    } catch let failure as FileFailure {
      throw RemoteError(failure, operation: operation, folder: path)
    }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  private static func absolute(_ path: String) throws -> String {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw RemoteError(
        .invalidConfiguration, operation: "open folder", message: "The path is empty or holds a zero byte.",
        hint: "Give the path of a folder.")
    }
    var absolute = path
    if !path.hasPrefix("/") {
      guard let working = getcwd(nil, 0) else {
        throw RemoteError(
          FileFailure(step: .read, number: errno), operation: "find the working directory", folder: path)
      }
      defer { free(working) }
      absolute = "\(String(cString: working))/\(path)"
    }
    while absolute.count > 1, absolute.hasSuffix("/") { absolute.removeLast() }
    return absolute
  }
}
