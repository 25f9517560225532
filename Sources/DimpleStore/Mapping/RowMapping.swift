#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// A type that says how its properties are stored, where the usual way does not do.
///
/// ```swift
/// struct Order: Entity {
///   static let mapping = RowMapping(columnNames: .snakeCase, dates: .millisecondsSince1970)
///   var id = UUIDv7()
///   var shippedAt: Date?  // the column shipped_at, an integer
/// }
/// ```
///
/// Every ``Entity`` is one; a type that is only read declares it. It is asked for once per statement, and holds for the
/// properties themselves, not for what is inside JSON, nor for values interpolated into SQL.
public protocol RowMapped {
  /// How columns are named, and dates and UUIDs stored.
  static var mapping: RowMapping { get }
}

/// How a type's properties become columns.
public struct RowMapping: Sendable {
  /// From the names of coding keys to those of columns.
  public var columnNames: ColumnNames
  /// What a `Date` is stored as. Text in ISO 8601 is read whatever is chosen.
  public var dates: DateStorage
  /// What a `UUID` is stored as. All forms are read whatever is chosen.
  public var uuids: UUIDStorage

  /// The usual way, but for what is named.
  public init(
    columnNames: ColumnNames = .asWritten, dates: DateStorage = .text, uuids: UUIDStorage = .lowercaseText
  ) {
    self.columnNames = columnNames
    self.dates = dates
    self.uuids = uuids
  }
}

/// How columns are named after coding keys.
public struct ColumnNames: Sendable {
  private let convert: (@Sendable (String) -> String)?

  /// The key's own name.
  public static let asWritten = ColumnNames(convert: nil)

  /// `shippedAt` is `shipped_at`, `baseURL` is `base_url`, `urlOfPage2` is `url_of_page2`.
  public static let snakeCase = ColumnNames(convert: snakeCased)

  /// As the function says: the same for the same key, always.
  public static func custom(_ column: @escaping @Sendable (_ key: String) -> String) -> ColumnNames {
    ColumnNames(convert: column)
  }

  /// The column of a key.
  public func column(_ key: String) -> String { convert.map { $0(key) } ?? key }

  private static func snakeCased(_ key: String) -> String {
    let characters = Array(key)
    var result = ""
    for (index, character) in characters.enumerated() {
      let isAfterLower = index > 0 && !characters[index - 1].isUppercase && characters[index - 1] != "_"
      let isBeforeLower = index + 1 < characters.count && characters[index + 1].isLowercase
      let isInUpper = index > 0 && characters[index - 1].isUppercase
      if character.isUppercase, isAfterLower || isInUpper && isBeforeLower { result.append("_") }
      result += character.lowercased()
    }
    return result
  }
}

/// What a date is stored as.
public struct DateStorage: Sendable, Hashable {
  private enum Form { case text, seconds, milliseconds }
  private let form: Form

  /// `2026-11-23 10:00:00.000`, in UTC: as SQLite's date functions read it.
  public static let text = DateStorage(form: .text)
  /// A real: seconds since 1970-01-01 UTC, as exact as `Date` is.
  public static let secondsSince1970 = DateStorage(form: .seconds)
  /// An integer: milliseconds since 1970-01-01 UTC, to the nearest.
  public static let millisecondsSince1970 = DateStorage(form: .milliseconds)

  /// The date as it is stored.
  func value(_ date: Date) -> SQLValue {
    switch form {
    case .text: date.sqlValue
    case .seconds: .real(date.timeIntervalSince1970)
    case .milliseconds:
      // Dates beyond the integers' years, which are 292 million, stay what they are.
      Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded()).map { .integer($0) } ?? date.sqlValue
    }
  }

  /// The date that is stored.
  func date(_ value: SQLValue) throws -> Date {
    if form == .milliseconds, case .integer(let milliseconds) = value {
      return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
    return try Date(sqlValue: value)
  }
}

/// What a UUID is stored as.
public struct UUIDStorage: Sendable, Hashable {
  private enum Form { case lowercase, uppercase, blob }
  private let form: Form

  /// 36 characters in lower case.
  public static let lowercaseText = UUIDStorage(form: .lowercase)
  /// 36 characters in upper case, as Foundation prints it.
  public static let uppercaseText = UUIDStorage(form: .uppercase)
  /// 16 bytes.
  public static let blob = UUIDStorage(form: .blob)

  /// The identifier as it is stored.
  func value(_ uuid: UUID) -> SQLValue {
    switch form {
    case .lowercase: uuid.sqlValue
    case .uppercase: .text(uuid.uuidString)
    case .blob: withUnsafeBytes(of: uuid.uuid) { .blob([UInt8]($0)) }
    }
  }
}

extension RowMapping {
  /// Whether values are stored the usual way; names may differ.
  var storesAsUsual: Bool { dates == .text && uuids == .lowercaseText }

  /// A value as it is stored; `nil` for types that the mapping does not concern.
  func value<T>(_ value: T) -> SQLValue? {
    if T.self == Date.self, let date = value as? Date { return dates.value(date) }
    if T.self == UUID.self, let uuid = value as? UUID { return uuids.value(uuid) }
    return nil
  }

  /// A value that is stored; `nil` for types that the mapping does not concern.
  func read<T>(_ type: T.Type, from value: SQLValue) throws -> T? {
    type == Date.self ? try dates.date(value) as? T : nil
  }
}
