/// Who may import what. docs/ARCHITECTURE.md shows the same table, and a test holds the two together.
enum ImportFence {
  /// The modules of this package and of its dependencies that each module may import, tests aside.
  static let allowed: [String: Set<String>] = [
    "CSQLite": [], "CCurl": [], "COpenSSL": [], "CZlib": [],
    "DimpleMutex": ["Synchronization"],
    "DimpleStore": ["CSQLite", "Logging", "DimpleMutex"],
    "DimpleChangelog": ["DimpleStore", "DimpleMutex"],
    "DimpleReactive": ["DimpleStore", "DimpleMutex"],
    "DimplePrimitives": ["COpenSSL"],
    "DimpleRemote": ["DimpleMutex"],
    "DimpleS3": ["DimpleRemote", "DimplePrimitives", "CCurl", "DimpleMutex"],
    "DimpleCrypto": ["DimpleRemote", "DimplePrimitives"],
    "DimpleSync": ["DimpleChangelog", "DimpleStore", "DimpleRemote", "DimplePrimitives", "CZlib", "DimpleMutex"],
    "DimpleDb": [
      "DimpleStore", "DimpleChangelog", "DimpleReactive", "DimpleRemote", "DimpleS3", "DimpleCrypto", "DimpleSync",
    ],
    "DimpleTestSupport": [
      "DimpleStore", "DimpleChangelog", "DimpleRemote", "DimpleSync", "DimplePrimitives", "DimpleMutex",
    ],
    "dimple": ["DimpleDb", "ArgumentParser"],
  ]

  /// What comes with Swift and the system. Synchronization is not here: DimpleMutex stands for it.
  static let platform: Set<String> = [
    "FoundationEssentials", "Foundation", "Dispatch", "Glibc", "Musl", "Android", "Darwin",
  ]

  /// How much of a module may see a C library, so that another platform can swap it for its own.
  enum Reach {
    case oneFile
    case oneFolder
  }

  static let libraries: [String: Reach] = [
    "CSQLite": .oneFolder, "COpenSSL": .oneFolder, "CCurl": .oneFile, "CZlib": .oneFile,
  ]

  /// A module and all that it is made of, directly or not.
  static func reach(of module: String) -> Set<String> {
    (allowed[module] ?? []).reduce(into: [module]) { reach, imported in reach.formUnion(Self.reach(of: imported)) }
  }

  /// Imports that the table does not allow.
  static func check(_ source: SwiftSource) -> [Finding] {
    guard let module = source.module else { return [] }
    guard let allowed = allowed[module] else {
      return [Finding(path: source.path, message: "\(module) is not in the table of modules")]
    }
    return source.imports.filter { !allowed.contains($0.name) && !platform.contains($0.name) }
      .map { Finding(path: source.path, line: $0.line, message: "\(module) may not import \($0.name)") }
  }

  /// C libraries that are imported from more than one place.
  static func checkReach(_ sources: [SwiftSource]) -> [Finding] {
    libraries.sorted { $0.key < $1.key }.flatMap { library, reach -> [Finding] in
      let importers = sources.filter { $0.imports.contains { $0.name == library } }
      let places = Set(importers.map { reach == .oneFile ? $0.path : $0.folder }).sorted()
      return places.dropFirst().map {
        Finding(path: $0, message: "\(library) is imported here and in \(places[0]); one place only")
      }
    }
  }

  /// Foundation brings ICU; what is needed of it is in FoundationEssentials where that exists.
  static func checkFoundation(_ source: SwiftSource) -> [Finding] {
    source.imports.filter { $0.name == "Foundation" }.compactMap { found in
      let before = source.code[..<(found.line - 1)].last { !$0.trimmed.isEmpty && !$0.contains(" import ") } ?? ""
      guard before.trimmed != "#else" else { return nil }
      return Finding(
        path: source.path, line: found.line, message: "import Foundation only where FoundationEssentials is missing")
    }
  }
}

extension SwiftSource {
  struct Import: Equatable {
    var name: String
    var line: Int
  }

  var imports: [Import] {
    zip(1..., code).compactMap { line, text in
      guard text.contains("import ") else { return nil }
      let pattern =
        #/\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+).*/#
      return text.wholeMatch(of: pattern).map { Import(name: String($0.1), line: line) }
    }
  }
}
