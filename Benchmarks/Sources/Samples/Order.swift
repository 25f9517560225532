// Public, so that it is compiled into what uses it; nobody else does.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// An order's columns.
public typealias OrderTuple = (
  Int, String?, Int?, String?, String?, String?, Int?, Double?, String?, String?, String?, String?, String?, String?
)

/// What an ``Order`` of these columns comes to.
@inlinable
public func checksum(_ row: OrderTuple) -> Int {
  var sum = row.0 &+ row.1.length &+ (row.2 ?? 0) &+ row.3.length &+ row.4.length &+ row.5.length
  sum &+= (row.6 ?? 0) &+ Int((row.7 ?? 0) * 100) &+ row.8.length &+ row.9.length
  return sum &+ row.10.length &+ row.11.length &+ row.12.length &+ row.13.length
}

/// Fourteen columns of mixed types, all but the key nullable and many `NULL`: the Orders table of the Northwind database.
public struct Order: Sample, Identifiable {
  public var id: Int
  public var customerID: String?
  public var employeeID: Int?
  public var orderDate: String?
  public var requiredDate: String?
  public var shippedDate: String?
  public var shipVia: Int?
  public var freight: Double?
  public var shipName: String?
  public var shipAddress: String?
  public var shipCity: String?
  public var shipRegion: String?
  public var shipPostalCode: String?
  public var shipCountry: String?

  public enum CodingKeys: String, CodingKey {
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

  @inlinable
  public init(
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

  @inlinable
  public var checksum: Int {
    id &+ customerID.length &+ (employeeID ?? 0) &+ orderDate.length &+ requiredDate.length &+ shippedDate.length
      &+ (shipVia ?? 0) &+ Int((freight ?? 0) * 100) &+ shipName.length &+ shipAddress.length &+ shipCity.length
      &+ shipRegion.length &+ shipPostalCode.length &+ shipCountry.length
  }

  public static let createTable = """
    CREATE TABLE Orders (
      OrderID INTEGER PRIMARY KEY, CustomerID TEXT, EmployeeID INTEGER, OrderDate DATETIME, RequiredDate DATETIME,
      ShippedDate DATETIME, ShipVia INTEGER, Freight REAL, ShipName TEXT, ShipAddress TEXT, ShipCity TEXT,
      ShipRegion TEXT, ShipPostalCode TEXT, ShipCountry TEXT)
    """
  public static let insertSQL = "INSERT INTO Orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
  public static let selectSQL = "SELECT * FROM Orders"
}
