import GRDB
import Samples

extension Item: FetchableRecord, PersistableRecord {}

private struct RowItem: FetchableRecord {
  let item: Item

  init(row: Row) {
    item = Item(
      i0: row[0], i1: row[1], i2: row[2], i3: row[3], i4: row[4], i5: row[5], i6: row[6], i7: row[7], i8: row[8],
      i9: row[9])
  }
}

extension GRDBStore {
  package func insert(_ items: [Item]) throws -> Int {
    try pool.write { database in
      for item in items { try item.insert(database) }
      return items.count
    }
  }

  package func insertPrepared(_ items: [Item]) throws -> Int {
    try pool.write { database in
      let statement = try database.makeStatement(sql: Item.insertSQL)
      for item in items {
        try statement.execute(arguments: [
          item.i0, item.i1, item.i2, item.i3, item.i4, item.i5, item.i6, item.i7, item.i8, item.i9,
        ])
      }
      return items.count
    }
  }

  package func fetchItems() throws -> Int { try pool.read { try Item.fetchAll($0) }.checksum }

  package func fetchItemsFromRows() throws -> Int {
    try pool.read { try RowItem.fetchAll($0, sql: Item.selectSQL) }.sum { $0.item.checksum }
  }

  package func sumItemsByIndex() throws -> Int {
    try pool.read { database in
      var sum = 0
      let rows = try Row.fetchCursor(database, sql: Item.selectSQL)
      while let row = try rows.next() {
        for column in 0..<10 { sum &+= row[column] as Int }
      }
      return sum
    }
  }

  package func sumItemsByName() throws -> Int {
    try pool.read { database in
      var sum = 0
      let rows = try Row.fetchCursor(database, sql: Item.selectSQL)
      while let row = try rows.next() {
        sum &+= row["i0"] as Int
        sum &+= row["i1"] as Int
        sum &+= row["i2"] as Int
        sum &+= row["i3"] as Int
        sum &+= row["i4"] as Int
        sum &+= row["i5"] as Int
        sum &+= row["i6"] as Int
        sum &+= row["i7"] as Int
        sum &+= row["i8"] as Int
        sum &+= row["i9"] as Int
      }
      return sum
    }
  }
}
