/// A page of documentation.
struct MarkdownPage {
  struct Block: Equatable {
    /// Where its code begins, from 1.
    var line: Int
    /// `swift`, `sh`, or empty.
    var language: String
    /// What a `<!-- mark -->` on the line before says.
    var mark: String?
    var lines: [String]
  }

  /// Text with the number of its line.
  struct Piece: Equatable {
    var line: Int
    var text: String
  }

  let path: String
  let lines: [String]
  let blocks: [Block]
  /// The lines outside fenced blocks.
  let prose: [Piece]

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var blocks: [Block] = []
    var prose: [Piece] = []
    var open: Block?
    var mark: String?
    for (number, line) in zip(1..., lines) {
      if line.trimmed.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(
            line: number + 1, language: line.trimmed.trimmingPrefix("```").description, mark: mark, lines: [])
        }
        mark = nil
      } else if open != nil {
        open?.lines.append(line)
      } else {
        mark = line.trimmed.wholeMatch(of: #/<!-- (.+) -->/#).map { String($0.1) }
        prose.append(Piece(line: number, text: line))
      }
    }
    self.blocks = blocks
    self.prose = prose
  }

  /// What stands between single backticks.
  var inlineCode: [Piece] { prose.flatMap { piece in Self.code(in: piece.text, line: piece.line, backticks: 1) } }

  /// What stands between double backticks: DocC's links to symbols.
  var symbolLinks: [Piece] { prose.flatMap { piece in Self.code(in: piece.text, line: piece.line, backticks: 2) } }

  /// What stands between exactly so many backticks, in a line of Markdown wherever it is from.
  static func code(in text: String, line: Int, backticks: Int) -> [Piece] {
    text.matches(of: #/(`+)([^`]+)(`+)/#).filter { $0.1.count == backticks && $0.3.count == backticks }
      .map { Piece(line: line, text: String($0.2)) }
  }

  /// The targets of `[text](target)`, code aside.
  var links: [Piece] {
    prose.flatMap { piece in
      piece.text.replacing(#/`[^`]*`/#, with: "").matches(of: #/\]\(([^)\s]+)[^)]*\)/#)
        .map { Piece(line: piece.line, text: String($0.1)) }
    }
  }

  /// What a `#fragment` may name: each heading as GitHub spells it.
  var anchors: Set<String> {
    Set(
      prose.compactMap { piece in
        guard let heading = piece.text.wholeMatch(of: #/#{1,6} +(.+)/#)?.1 else { return nil }
        return heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
          .replacing(" ", with: "-")
      })
  }

  /// The rows of the first table below the heading, cells trimmed; without the header and the rule under it.
  func table(under heading: String) -> [[String]] {
    let rows = prose.drop { $0.text.wholeMatch(of: #/#+ +(.+)/#).map { String($0.1) } != heading }
      .drop { !$0.text.hasPrefix("|") }.prefix { $0.text.hasPrefix("|") }
    return rows.dropFirst(2).map { row in
      row.text.split(separator: "|").map { String($0).trimmed }
    }
  }
}
