/// Six columns of the usual types, one of them often NULL.
package struct Track: Sample, Identifiable, Equatable {
  package var id: Int64
  package var name: String
  package var composer: String?
  package var milliseconds: Int
  package var bytes: Int
  package var price: Double

  package init(id: Int64, name: String, composer: String?, milliseconds: Int, bytes: Int, price: Double) {
    self.id = id
    self.name = name
    self.composer = composer
    self.milliseconds = milliseconds
    self.bytes = bytes
    self.price = price
  }

  package init(number: Int) {
    id = Int64(number)
    name = "Track number \(number)"
    composer = number.isMultiple(of: 3) ? nil : "Composer \(number % 97)"
    milliseconds = 120_000 + number % 180_000
    bytes = 4_000_000 + number
    price = 0.99
  }

  package var checksum: Int {
    Int(id) &+ name.utf8.count &+ composer.length &+ milliseconds &+ bytes &+ Int(price * 100)
  }

  package static let createTable = """
    CREATE TABLE Track (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, composer TEXT, milliseconds INTEGER NOT NULL, bytes INTEGER NOT NULL,
      price REAL NOT NULL)
    """

  package static let insertSQL = "INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)"
  package static let selectSQL = "SELECT * FROM Track"
  package static let selectOneSQL = "SELECT * FROM Track WHERE id = ?"
  package static let selectRangeSQL = "SELECT * FROM Track WHERE id BETWEEN ? AND ?"
}
