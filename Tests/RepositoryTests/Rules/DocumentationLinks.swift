/// What a page points to must be there.
enum DocumentationLinks {
  /// Relative links, and the headings they name.
  ///
  /// - Parameter page: Finds a page by its path from the root; `nil` where there is no such file.
  static func check(_ page: MarkdownPage, exists: (String) -> Bool, page find: (String) -> MarkdownPage?) -> [Finding] {
    page.links.compactMap { link in
      guard !link.text.contains(#/^(?:https?|mailto):/#) else { return nil }
      let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let path = parts[0].isEmpty ? page.path : resolve(parts[0], from: page.path)
      guard exists(path) else {
        return Finding(path: page.path, line: link.line, message: "the link \(link.text) leads nowhere")
      }
      guard parts.count == 2, let target = find(path), !target.anchors.contains(parts[1]) else { return nil }
      return Finding(path: page.path, line: link.line, message: "\(path) has no heading #\(parts[1])")
    }
  }

  /// Inline code that is plainly a path into the project.
  static func checkPaths(_ page: MarkdownPage, exists: (String) -> Bool) -> [Finding] {
    page.inlineCode.filter { code in
      code.text.contains(#/^(?:Sources|Tests|docs|scripts|Examples|Benchmarks|\.ci)\/[\w.\/+-]+$/#)
        && !exists(code.text.trimmingSuffix("/"))
    }
    .map { Finding(path: page.path, line: $0.line, message: "there is no \($0.text)") }
  }

  /// `docs/A.md` and `../Sources/B` give `Sources/B`.
  static func resolve(_ link: String, from page: String) -> String {
    var parts = page.split(separator: "/").dropLast().map(String.init)
    for part in link.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(String(part))
      }
    }
    return parts.joined(separator: "/")
  }
}
