import Foundation

/// The working tree that these tests were compiled from.
enum Repository {
  /// The folder of Package.swift.
  static let root: String = {
    var folder = URL(filePath: #filePath)
    for _ in 1...4 { folder.deleteLastPathComponent() }  // Repository.swift, Reading, RepositoryTests, Tests
    return folder.path(percentEncoded: false).trimmingSuffix("/")
  }()

  /// Folders of tools, not of the project.
  private static let foreign: Set<String> = [".git", ".build", ".cache", ".swiftpm", "__pycache__"]

  /// Every file of the project, by its path from the root, sorted.
  static let files: [String] = {
    var found: [String] = []
    func walk(_ folder: String) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: absolute(folder))) ?? []
      for name in names where !foreign.contains(name) && !name.hasPrefix(".build-") {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        if isFolder(path) { walk(path) } else { found.append(path) }
      }
    }
    walk("")
    return found.sorted()
  }()

  /// Those below `folder` with the ending, both given plainly: `files(in: "Sources", ending: ".swift")`.
  static func files(in folder: String, ending: String) -> [String] {
    files.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(ending) }
  }

  /// Every page for people, the root's and the nested packages' included.
  static var pages: [MarkdownPage] {
    get throws { try files.filter { $0.hasSuffix(".md") }.map { MarkdownPage(path: $0, text: try text($0)) } }
  }

  /// The Swift files below `folder`, parsed once for all rules.
  static func swiftSources(in folder: String) throws -> [SwiftSource] {
    try parsed.get().filter { $0.path.hasPrefix(folder + "/") }
  }

  private static let parsed = Result {
    try (files(in: "Sources", ending: ".swift") + files(in: "Tests", ending: ".swift"))
      .map { SwiftSource(path: $0, text: try text($0)) }
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: URL(filePath: absolute(path)), encoding: .utf8)
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: absolute(path)) }

  static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: absolute(path)) }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: absolute(path), isDirectory: &isFolder) && isFolder.boolValue
  }

  static func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }
}

extension String {
  func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
