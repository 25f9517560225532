/// Fourteen columns of mixed types, all but the key nullable and many `NULL`: the Orders table of the Northwind database.
package struct Order: Sample, Identifiable {
  package var id: Int
  package var customerID: String?
  package var employeeID: Int?
  package var orderDate: String?
  package var requiredDate: String?
  package var shippedDate: String?
  package var shipVia: Int?
  package var freight: Double?
  package var shipName: String?
  package var shipAddress: String?
  package var shipCity: String?
  package var shipRegion: String?
  package var shipPostalCode: String?
  package var shipCountry: String?

  package enum CodingKeys: String, CodingKey {
    case id = "OrderID"
    case customerID = "CustomerID"
    case employeeID = "EmployeeID"
    case orderDate = "OrderDate"
    case requiredDate = "RequiredDate"
    case shippedDate = "ShippedDate"
    case shipVia = "ShipVia"
    case freight = "Freight"
    case shipName = "ShipName"
    case shipAddress = "ShipAddress"
    case shipCity = "ShipCity"
    case shipRegion = "ShipRegion"
    case shipPostalCode = "ShipPostalCode"
    case shipCountry = "ShipCountry"
  }

  package init(
    id: Int, customerID: String?, employeeID: Int?, orderDate: String?, requiredDate: String?, shippedDate: String?,
    shipVia: Int?, freight: Double?, shipName: String?, shipAddress: String?, shipCity: String?, shipRegion: String?,
    shipPostalCode: String?, shipCountry: String?
  ) {
    self.id = id
    self.customerID = customerID
    self.employeeID = employeeID
    self.orderDate = orderDate
    self.requiredDate = requiredDate
    self.shippedDate = shippedDate
    self.shipVia = shipVia
    self.freight = freight
    self.shipName = shipName
    self.shipAddress = shipAddress
    self.shipCity = shipCity
    self.shipRegion = shipRegion
    self.shipPostalCode = shipPostalCode
    self.shipCountry = shipCountry
  }

  package var checksum: Int {
    id &+ customerID.length &+ (employeeID ?? 0) &+ orderDate.length &+ requiredDate.length &+ shippedDate.length
      &+ (shipVia ?? 0) &+ Int((freight ?? 0) * 100) &+ shipName.length &+ shipAddress.length &+ shipCity.length
      &+ shipRegion.length &+ shipPostalCode.length &+ shipCountry.length
  }

  package static let createTable = """
    CREATE TABLE Orders (
      OrderID INTEGER PRIMARY KEY, CustomerID TEXT, EmployeeID INTEGER, OrderDate DATETIME, RequiredDate DATETIME,
      ShippedDate DATETIME, ShipVia INTEGER, Freight REAL, ShipName TEXT, ShipAddress TEXT, ShipCity TEXT,
      ShipRegion TEXT, ShipPostalCode TEXT, ShipCountry TEXT)
    """
  package static let insertSQL = "INSERT INTO Orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
  package static let selectSQL = "SELECT * FROM Orders"
}
