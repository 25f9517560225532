/// A row such as apps track: six columns, its key a UUID in text.
public struct Note: Sendable {
  /// 36 characters.
  public var id: String
  /// About ten characters.
  public var title: String
  /// About thirty characters.
  public var text: String
  /// Always false.
  public var isDone = false
  /// From 0 to 4.
  public var priority: Int64
  /// A real that is no whole number.
  public var score: Double

  /// The table.
  public static let createTable = """
    CREATE TABLE Note (id TEXT PRIMARY KEY, title TEXT, text TEXT, isDone INTEGER, priority INTEGER, score REAL)
    """

  /// Always the same for a number.
  public init(number: Int) {
    // Ascending in time, as those of version 7 are, and scattered in what is random.
    let time = String(number + 0x1000_0000, radix: 16)
    let chance = String(UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16)
    id = "\(time)-0000-7000-8\(chance.prefix(3))-\(chance.suffix(12))"
    title = "Note \(number)"
    text = "What is to be said about \(number)"
    priority = Int64(number % 5)
    score = Double(number) / 7
  }
}
