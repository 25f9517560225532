/// One page of the files below a folder, as keys in ascending byte order.
struct DirectoryListing {
  let calls: FileCalls
  let root: String
  let prefix: String
  /// Only keys after this one.
  let after: String
  let limit: Int

  /// The page, or `nil` where the root is no folder.
  func page() throws(FileFailure) -> ListPage? {
    guard let names = try calls.names(in: root) else { return nil }
    var objects: [ObjectInfo] = []
    try collect(names, in: "", into: &objects)
    let page = Array(objects.prefix(limit))
    return ListPage(
      objects: page, next: objects.count > limit ? page.last.map { ListCursor(token: $0.key) } : nil)
  }

  /// Adds what counts of the folder `folder` (empty, or ending in `/`) until there is one more than a page holds.
  private func collect(_ names: [String], in folder: String, into objects: inout [ObjectInfo]) throws(FileFailure) {
    for entry in try entries(names, in: folder) {
      guard objects.count <= limit else { return }
      if entry.isFolder {
        // A folder that went away meanwhile holds nothing.
        guard let names = try calls.names(in: "\(root)/\(entry.key)") else { continue }
        try collect(names, in: entry.key, into: &objects)
      } else {
        objects.append(ObjectInfo(key: entry.key, size: entry.size))
      }
    }
  }

  private struct Entry {
    /// A folder's ends in `/`: `a-b` comes before `a/c`, although `a` comes before `a-b`.
    let key: String
    let isFolder: Bool
    let size: Int64
  }

  private func entries(_ names: [String], in folder: String) throws(FileFailure) -> [Entry] {
    var entries: [Entry] = []
    for name in names {
      let key = folder + name
      // Anything with another name is not ours: the incoming folder, an editor's backup.
      guard KeyRules.isValid(key), mayMatter(key) || mayMatter(key + "/") else { continue }
      guard let status = try calls.status("\(root)/\(key)") else { continue }
      if status.isFile, mayMatter(key) {
        entries.append(Entry(key: key, isFolder: false, size: status.size))
      } else if status.isFolder, mayMatter(key + "/") {
        entries.append(Entry(key: key + "/", isFolder: true, size: 0))
      }
    }
    return entries.sorted { $0.key < $1.key }
  }

  /// Whether the key, or a key below the folder, has the prefix and comes after the page before.
  private func mayMatter(_ path: String) -> Bool {
    let isFolder = path.hasSuffix("/")
    guard path.hasPrefix(prefix) || (isFolder && prefix.hasPrefix(path)) else { return false }
    return path > after || (isFolder && after.hasPrefix(path))
  }
}
