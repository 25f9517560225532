import GRDB
import Samples

extension Order: FetchableRecord, PersistableRecord {
  /// Order is a word of SQL's.
  public static var databaseTableName: String { "Orders" }
}

private struct RowOrder: FetchableRecord {
  let order: Order

  init(row: Row) {
    order = Order(
      id: row[0], customerID: row[1], employeeID: row[2], orderDate: row[3], requiredDate: row[4], shippedDate: row[5],
      shipVia: row[6], freight: row[7], shipName: row[8], shipAddress: row[9], shipCity: row[10], shipRegion: row[11],
      shipPostalCode: row[12], shipCountry: row[13])
  }
}

extension GRDBStore {
  package func fetchOrders() throws -> Int { try pool.read { try Order.fetchAll($0) }.checksum }

  package func fetchOrdersFromRows() throws -> Int {
    try pool.read { try RowOrder.fetchAll($0, sql: Order.selectSQL) }.sum { $0.order.checksum }
  }
}
