#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension Date: SQLConvertible {
  /// UTC text with milliseconds, which SQLite's date functions understand: `2026-11-23 10:00:00.000`.
  public var sqlValue: SQLValue { .text(sqlText) }

  private var sqlText: String {
    // Rounded to milliseconds first: the text must not show 59.9996 as 59.999 and lose it again.
    let milliseconds = (timeIntervalSince1970 * 1000).rounded()
    let rounded = Date(timeIntervalSince1970: milliseconds / 1000)
    return rounded.formatted(Self.style).replacing("T", with: " ").replacing("Z", with: "")
  }

  /// Text as SQLite writes it (with `T` or a space, with or without fractions and `Z`), a date alone, or seconds since 1970.
  public init(sqlValue: SQLValue) throws {
    switch sqlValue {
    case .text(let text):
      guard let date = Self.parse(text) else { throw sqlValue.mismatch(Date.self) }
      self = date
    case .integer(let seconds): self = Date(timeIntervalSince1970: Double(seconds))
    case .real(let seconds): self = Date(timeIntervalSince1970: seconds)
    default: throw sqlValue.mismatch(Date.self)
    }
  }

  private static let style = ISO8601FormatStyle(includingFractionalSeconds: true)
  private static let wholeSeconds = ISO8601FormatStyle()

  private static func parse(_ text: String) -> Date? {
    var normal = text.replacing(" ", with: "T")
    if !normal.contains("T") { normal += "T00:00:00" }
    if !normal.hasSuffix("Z") { normal += "Z" }
    return (try? style.parse(normal)) ?? (try? wholeSeconds.parse(normal))
  }
}

private typealias ISO8601FormatStyle = Date.ISO8601FormatStyle
