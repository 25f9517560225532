import DimpleStore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Writes and reads a large blob as a stream, and says by how many KiB the process grew at its largest.
enum BlobMode {
  static func run(_ path: String, megabytes: Int) throws {
    let db = try Database(path)
    try db.execute("CREATE TABLE Attachment (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    // What is allocated once is not counted.
    try roundTrip(db, id: 1, byteCount: 8 << 20)
    let before = peakKibibytes()
    try roundTrip(db, id: 2, byteCount: megabytes << 20)
    print("ok \(peakKibibytes() - before)")
    try db.close()
  }

  private static func roundTrip(_ db: Database, id: Int64, byteCount: Int) throws {
    try db.execute("INSERT INTO Attachment VALUES (\(id), \(ZeroBlob(byteCount: byteCount)))")
    var position = 0
    try db.writeBlob(table: "Attachment", column: "data", rowID: id) { buffer in
      let length = min(buffer.count, byteCount - position)
      for offset in stride(from: 0, to: length, by: 8) {
        buffer.storeBytes(of: word(position + offset, id), toByteOffset: offset, as: UInt64.self)
      }
      position += length
      return length
    }
    var found = 0
    try db.readBlob(table: "Attachment", column: "data", rowID: id) { buffer in
      for offset in stride(from: 0, to: buffer.count, by: 8) {
        guard buffer.load(fromByteOffset: offset, as: UInt64.self) == word(found + offset, id) else {
          throw Difference(position: found + offset)
        }
      }
      found += buffer.count
    }
    guard found == byteCount else { throw Difference(position: found) }
  }

  private struct Difference: Error { let position: Int }

  private static func word(_ position: Int, _ id: Int64) -> UInt64 {
    (UInt64(position) &+ UInt64(id)) &* 0x9E37_79B9_7F4A_7C15
  }

  /// The most memory that the process has had so far; 0 where the system does not say.
  private static func peakKibibytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int($0) }.first ?? 0
  }
}
