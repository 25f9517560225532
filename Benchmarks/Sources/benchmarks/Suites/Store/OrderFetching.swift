import DimpleStore
import Samples

private struct RowOrder: RowDecodable {
  let order: Order

  init(row: borrowing RowReader) throws {
    order = Order(
      id: try row[0], customerID: try row[1], employeeID: try row[2], orderDate: try row[3], requiredDate: try row[4],
      shippedDate: try row[5], shipVia: try row[6], freight: try row[7], shipName: try row[8],
      shipAddress: try row[9], shipCity: try row[10], shipRegion: try row[11], shipPostalCode: try row[12],
      shipCountry: try row[13])
  }
}

/// Wide rows of mixed nullable columns.
struct OrderFetching {
  private let stores: Stores<Order>

  init(_ stores: Stores<Order>) { self.stores = stores }

  var all: [Benchmark] { [byInitialiser, asTuples, byCodable] }

  private var byInitialiser: Benchmark {
    Benchmark(
      name: "fetch 14 columns by init(row:)", unit: "row", count: stores.rows.count, bars: ["SQLite": 1.15],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(RowOrder.self, "SELECT * FROM Orders") }
          .sum { $0.order.checksum }
      } sqlite: { [stores] in
        try stores.sqlite.fetchOrders()
      } grdb: { [stores] in
        try stores.grdb.fetchOrdersFromRows()
      })
  }

  private var asTuples: Benchmark {
    Benchmark(
      name: "fetch 14 columns as tuples", unit: "row", count: stores.rows.count, bars: ["SQLite": 1.15],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(OrderTuple.self, "SELECT * FROM Orders") }.sum(checksum)
      } sqlite: { [stores] in
        try stores.sqlite.fetchOrderTuples()
      } grdb: { [stores] in
        try stores.grdb.fetchOrdersFromRows()
      })
  }

  private var byCodable: Benchmark {
    Benchmark(
      name: "fetch 14 columns by Codable", unit: "row", count: stores.rows.count, bars: ["SQLite": 2, "GRDB": 0.333],
      contenders: stores.contenders(on: .allRows) { [stores] in
        try stores.ours.read { try $0.query(Order.self, "SELECT * FROM Orders") }.checksum
      } sqlite: { [stores] in
        try stores.sqlite.fetchOrders()
      } grdb: { [stores] in
        try stores.grdb.fetchOrders()
      })
  }
}
