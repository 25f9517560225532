import DimpleStore
import Samples

private struct RowItem: RowDecodable {
  let item: Item

  init(row: borrowing RowReader) throws {
    item = Item(
      i0: try row[0], i1: try row[1], i2: try row[2], i3: try row[3], i4: try row[4], i5: try row[5], i6: try row[6],
      i7: try row[7], i8: try row[8], i9: try row[9])
  }
}

/// GRDB's own benchmarks: https://github.com/groue/GRDB.swift/wiki/Performance
struct ItemBenchmarks {
  private let stores: Stores<Item>
  private let fewer: [Item]

  init(_ stores: Stores<Item>, _ size: Size) {
    self.stores = stores
    fewer = Array(stores.rows.prefix(size(50_000)))
  }

  var all: [Benchmark] { [byIndex, byName, byInitialiser, byCodable, insertPrepared, insertMany] }

  private var byIndex: Benchmark {
    Benchmark(
      name: "read 10 integers by index", unit: "row", count: stores.rows.count, bars: ["GRDB": 1],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { connection in
          var sum = 0
          try connection.forEachRow("SELECT * FROM Item") { row in
            for column in 0..<10 { sum &+= try row[column] as Int }
            return true
          }
          return sum
        }
      } sqlite: { [stores] in
        try stores.sqlite.sumItems()
      } grdb: { [stores] in
        try stores.grdb.sumItemsByIndex()
      })
  }

  private var byName: Benchmark {
    Benchmark(
      name: "read 10 integers by name", unit: "row", count: stores.rows.count, bars: ["GRDB": 1],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { connection in
          var sum = 0
          try connection.forEachRow("SELECT * FROM Item") { row in
            sum &+= try row["i0"] as Int
            sum &+= try row["i1"] as Int
            sum &+= try row["i2"] as Int
            sum &+= try row["i3"] as Int
            sum &+= try row["i4"] as Int
            sum &+= try row["i5"] as Int
            sum &+= try row["i6"] as Int
            sum &+= try row["i7"] as Int
            sum &+= try row["i8"] as Int
            sum &+= try row["i9"] as Int
            return true
          }
          return sum
        }
      } sqlite: { [stores] in
        try stores.sqlite.sumItems()
      } grdb: { [stores] in
        try stores.grdb.sumItemsByName()
      })
  }

  private var byInitialiser: Benchmark {
    Benchmark(
      name: "fetch 10 integers by init(row:)", unit: "row", count: stores.rows.count,
      bars: ["SQLite": 1.15, "GRDB": 1],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(RowItem.self, "SELECT * FROM Item") }.sum { $0.item.checksum }
      } sqlite: { [stores] in
        try stores.sqlite.fetchItems()
      } grdb: { [stores] in
        try stores.grdb.fetchItemsFromRows()
      })
  }

  private var byCodable: Benchmark {
    Benchmark(
      name: "fetch 10 integers by Codable", unit: "row", count: stores.rows.count, bars: ["SQLite": 2, "GRDB": 0.333],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(Item.self, "SELECT * FROM Item") }.checksum
      } sqlite: { [stores] in
        try stores.sqlite.fetchItems()
      } grdb: { [stores] in
        try stores.grdb.fetchItems()
      })
  }

  private var insertPrepared: Benchmark {
    Benchmark(
      name: "insert 10 integers prepared", unit: "row", count: fewer.count, bars: ["SQLite": 1.25, "GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, fewer] in
        try stores.ours.write { connection in
          let insert = try connection.prepared("\(raw: Item.insertSQL)")
          for item in fewer {
            try insert.execute(
              item.i0, item.i1, item.i2, item.i3, item.i4, item.i5, item.i6, item.i7, item.i8, item.i9)
          }
        }
        return fewer.count
      } sqlite: { [stores, fewer] in
        try stores.sqlite.insert(fewer)
      } grdb: { [stores, fewer] in
        try stores.grdb.insertPrepared(fewer)
      })
  }

  private var insertMany: Benchmark {
    Benchmark(
      name: "insert 10 integers as structs, all at once", unit: "row", count: fewer.count, bars: ["GRDB": 1],
      contenders: stores.contenders(on: .nothing) { [stores, fewer] in
        try stores.ours.write { try $0.insert(contentsOf: fewer) }
        return fewer.count
      } sqlite: { [stores, fewer] in
        try stores.sqlite.insert(fewer)
      } grdb: { [stores, fewer] in
        try stores.grdb.insert(fewer)
      })
  }
}
