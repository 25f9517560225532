/// Code in pages is code that compiles: a block marked `<!-- path#name -->` equals a region of that source.
///
/// A region runs from `// snippet: name` to `// end`.
enum Snippets {
  /// - Parameters:
  ///   - everyBlock: Whether a Swift block without a mark is a finding, too.
  ///   - text: A source by its path from the root, or `nil`.
  static func check(_ page: MarkdownPage, everyBlock: Bool, text: (String) -> String?) -> [Finding] {
    page.blocks.filter { $0.language == "swift" }.compactMap { block in
      func finding(_ message: String) -> Finding { Finding(path: page.path, line: block.line, message: message) }
      guard let mark = block.mark else {
        return everyBlock ? finding("a Swift block without the mark of its compiled source") : nil
      }
      let parts = mark.split(separator: "#").map(String.init)
      guard parts.count == 2, let source = text(parts[0]) else { return finding("there is no source \(mark)") }
      guard let region = region(parts[1], of: source) else { return finding("there is no region \(mark)") }
      guard region != block.lines else { return nil }
      let different = zip(0..., region).first { !block.lines.indices.contains($0.0) || block.lines[$0.0] != $0.1 }
      return finding("differs from \(mark), which says: \(different?.1 ?? "nothing more")")
    }
  }

  /// Without the indentation that all its lines share.
  static func region(_ name: String, of source: String) -> [String]? {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let start = lines.firstIndex(where: { $0.trimmed == "// snippet: \(name)" }),
      let end = lines[start...].firstIndex(where: { $0.trimmed == "// end" })
    else { return nil }
    let region = lines[(start + 1)..<end]
    let indentation = region.filter { !$0.trimmed.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return region.map { String($0.dropFirst(indentation)) }
  }
}
