// Public, so that it is compiled into what uses it; nobody else does.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// A track's columns.
public typealias TrackTuple = (Int64, String, String?, Int, Int, Double)

/// What a ``Track`` of these columns comes to.
@inlinable
public func checksum(_ row: TrackTuple) -> Int {
  Int(row.0) &+ row.1.utf8.count &+ row.2.length &+ row.3 &+ row.4 &+ Int(row.5 * 100)
}

/// Six columns of the usual types, one of them often NULL.
public struct Track: Sample, Identifiable, Equatable {
  public var id: Int64
  public var name: String
  public var composer: String?
  public var milliseconds: Int
  public var bytes: Int
  public var price: Double

  @inlinable
  public init(id: Int64, name: String, composer: String?, milliseconds: Int, bytes: Int, price: Double) {
    self.id = id
    self.name = name
    self.composer = composer
    self.milliseconds = milliseconds
    self.bytes = bytes
    self.price = price
  }

  public init(number: Int) {
    id = Int64(number)
    name = "Track number \(number)"
    composer = number.isMultiple(of: 3) ? nil : "Composer \(number % 97)"
    milliseconds = 120_000 + number % 180_000
    bytes = 4_000_000 + number
    price = 0.99
  }

  @inlinable
  public var checksum: Int {
    Int(id) &+ name.utf8.count &+ composer.length &+ milliseconds &+ bytes &+ Int(price * 100)
  }

  public static let createTable = """
    CREATE TABLE Track (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, composer TEXT, milliseconds INTEGER NOT NULL, bytes INTEGER NOT NULL,
      price REAL NOT NULL)
    """

  public static let insertSQL = "INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)"
  public static let selectSQL = "SELECT * FROM Track"
  public static let selectOneSQL = "SELECT * FROM Track WHERE id = ?"
  public static let selectRangeSQL = "SELECT * FROM Track WHERE id BETWEEN ? AND ?"
}
