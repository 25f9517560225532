// Public, so that it is compiled into what uses it; nobody else does.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// Made up, by seed: lengths and shares of `NULL` as in the original.
extension Order {
  public init(number: Int) {
    var random = SeededRandom(seed: 1996 &+ UInt64(number))
    let place = Self.places[random.next(below: Self.places.count)]
    let day = random.next(below: 2_500)
    let hasShipped = random.next(below: 40) != 0
    self.init(
      id: 10_000 + number, customerID: Self.customerIDs[random.next(below: Self.customerIDs.count)],
      employeeID: 1 + random.next(below: 9), orderDate: Self.date(day, random.next(below: 86_400)),
      requiredDate: Self.date(day + 28, random.next(below: 86_400)),
      shippedDate: hasShipped ? Self.date(day + random.next(below: 30), random.next(below: 86_400)) : nil,
      shipVia: 1 + random.next(below: 3), freight: Double(random.next(below: 50_000)) / 100,
      shipName: "\(place.city) \(Self.trades[random.next(below: Self.trades.count)])",
      shipAddress: "\(place.street) \(1 + random.next(below: 200))", shipCity: place.city, shipRegion: place.region,
      shipPostalCode: random.next(below: 50) == 0 ? nil : String(10_000 + random.next(below: 89_999)),
      shipCountry: place.country)
  }

  private static let customerIDs = ["ALFKI", "BERGS", "CHOPS", "ERNSH", "FOLKO", "HANAR", "QUICK", "RATTC", "SAVEA"]
  private static let trades = ["Delikatessen", "Supermercado", "Toys", "Wine and Cheese", "Markt", "Import/Export"]
  private static let places: [(street: String, city: String, region: String?, country: String)] = [
    ("Obere Strasse", "Berlin", nil, "Germany"), ("Rua do Paço", "Rio de Janeiro", "RJ", "Brazil"),
    ("Milton Drive", "Albuquerque", "NM", "USA"), ("Berguvsvägen", "Luleå", nil, "Sweden"),
    ("Place de la Bourse", "Lyon", nil, "France"), ("Fauntleroy Circus", "London", nil, "UK"),
    ("Garden House Crowther Way", "Cowes", "Isle of Wight", "UK"), ("Kirchgasse", "Graz", nil, "Austria"),
    ("Carrera 52 con Avenida Bolívar", "Barquisimeto", "Lara", "Venezuela"),
  ]

  /// A day of a calendar whose months all have 28 days, and a second of it.
  private static func date(_ day: Int, _ second: Int) -> String {
    let month = day / 28
    return "\(2016 + month / 12)-\(padded(1 + month % 12))-\(padded(1 + day % 28)) "
      + "\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))"
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

/// The same numbers for the same seed: SplitMix64.
private struct SeededRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((value ^ (value >> 31)) % UInt64(bound))
  }
}
