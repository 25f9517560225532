#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Migration {
  /// The migrations of a folder: one for each file that ends in `.sql`, named as the file without the ending.
  ///
  /// In the order of the number that each name begins with (`2_tags` before `10_notes`), or else of the names. What
  /// applies to a migration applies to its file: once released, it is not changed in any byte.
  ///
  /// - Throws: ``StoreError``: `cannotOpen` if the folder or a file cannot be read or is not UTF-8;
  ///   `migrationHistoryChanged` if two begin with the same number, or some with none.
  public static func files(inDirectory path: String) throws -> [Migration] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw unreadable("The folder of migrations cannot be read.", error)
    }
    return try ordered(names.filter { $0.hasSuffix(".sql") }.map { String($0.dropLast(4)) }).map { name in
      do {
        let text = try String(contentsOfFile: "\(path)/\(name).sql", encoding: .utf8)
        return Migration(name, SQL(raw: text))
      } catch {
        throw unreadable("The migration '\(name).sql' cannot be read as UTF-8.", error)
      }
    }
  }

  /// The names by their numbers.
  static func ordered(_ names: [String]) throws -> [String] {
    let numbered = names.sorted().map { (name: $0, number: UInt64($0.prefix { $0.isASCII && $0.isNumber })) }
    if numbered.allSatisfy({ $0.number == nil }) { return numbered.map(\.name) }
    if let odd = numbered.first(where: { $0.number == nil }) {
      throw order("'\(odd.name).sql' begins with no number, and others do.")
    }
    let sorted = numbered.sorted { ($0.number ?? 0) < ($1.number ?? 0) }
    for (left, right) in zip(sorted, sorted.dropFirst()) where left.number == right.number {
      throw order("'\(left.name).sql' and '\(right.name).sql' begin with the same number.")
    }
    return sorted.map(\.name)
  }

  private static func order(_ message: String) -> StoreError {
    StoreError(
      .migrationHistoryChanged, operation: "read migrations", message: message,
      hint: "Begin each file's name with a number of its own, or with none.")
  }

  private static func unreadable(_ message: String, _ cause: any Error) -> StoreError {
    StoreError(.cannotOpen, operation: "read migrations", message: message, underlying: cause)
  }
}

extension Sequence where Element == Migration {
  /// The migrations up to and with the named one: to open a database as an older version of the program left it.
  ///
  /// - Throws: ``StoreError``: `migrationHistoryChanged` if there is none of the name.
  public func upTo(_ name: String) throws -> [Migration] {
    var result: [Migration] = []
    for migration in self {
      result.append(migration)
      if migration.name == name { return result }
    }
    throw StoreError(
      .migrationHistoryChanged, operation: "migrate", message: "There is no migration '\(name)'.",
      hint: "Names are compared letter by letter.")
  }
}
