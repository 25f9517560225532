import DimpleStore
import Foundation
import Testing

/// Whatever a property holds comes back as it was: through columns, JSON, interpolation and prepared statements.
@Suite struct RandomValuesTests {
  enum Kind: String, Codable, CaseIterable { case plain, odd = "o'd\"d", empty = "" }
  enum Level: Int, Codable, CaseIterable { case low = -1, high = 9_007_199_254_740_993 }
  struct Inner: Codable, Equatable {
    var text: String
    var numbers: [Int64]
    var more: [String: Double?]
    var date: Date?
  }

  struct Everything: Entity, Equatable {
    var id = UUIDv7()
    var bool: Bool
    var int: Int
    var int8: Int8
    var uint: UInt
    var uint64: UInt64?
    var double: Double
    var maybeDouble: Double?
    var float: Float
    var string: String
    var maybeString: String?
    var data: Data
    var maybeData: Data?
    var bytes: Data
    var date: Date
    var uuid: UUID
    var url: URL?
    var decimal: Decimal
    var kind: Kind
    var level: Level?
    var inner: Inner
    var maybeInner: Inner?
    var tags: [String]
  }

  static let columns = """
    id, bool, int, int8, uint, uint64, double, maybeDouble, float, string, maybeString, data, maybeData, bytes, date, uuid, \
    url, decimal TEXT, kind, level, inner, maybeInner, tags
    """

  @Test(arguments: 0..<40) func aStructComesBackAsItWas(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE Everything (\(raw: Self.columns), PRIMARY KEY (id))")
    var all: [Everything] = []
    for _ in 0..<20 {
      let value = try random.everything()
      #expect(try db.save(value) == value, "seed \(seed)")
      all.append(value)
    }
    #expect(try db.query(Everything.self, "SELECT * FROM Everything ORDER BY rowid") == all, "seed \(seed)")
    for index in all.indices {
      let id = all[index].id
      all[index] = try random.everything()
      all[index].id = id
      #expect(try db.update(all[index]) == all[index], "seed \(seed)")
    }
    try db.execute("DELETE FROM Everything")
    try db.insert(contentsOf: all)
    #expect(try db.query(Everything.self, "SELECT * FROM Everything ORDER BY rowid") == all, "seed \(seed)")
  }

  @Test(arguments: 0..<40) func aValueComesBackToTheBit(seed: UInt64) throws {
    var random = RandomValues(seed: seed)
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
    var values: [SQLValue] = []
    try db.write { connection throws in
      let insert = try connection.prepared("INSERT INTO t (x) VALUES (?)")
      for _ in 0..<100 {
        let value = random.value()
        values.append(value)
        if Bool.random(using: &random.generator) {
          try insert.execute(value)
        } else {
          try connection.execute("INSERT INTO t (x) VALUES (\(value))")
        }
        #expect(try connection.querySingle(SQLValue.self, "SELECT \(value)") == value, "seed \(seed)")
      }
    }
    #expect(try db.query(SQLValue.self, "SELECT x FROM t ORDER BY id") == values, "seed \(seed)")
    #expect(try db.rows("SELECT x FROM t ORDER BY id").map { $0[0] } == values, "seed \(seed)")
  }

  /// SQLite has a text for each of these: only a Swift string cannot hold the last, which another program may have written.
  @Test func textKeepsItsNULsAndALoneSurrogateIsRefusedAsAString() throws {
    let db = try Database.inMemory()
    #expect(try db.querySingle(String.self, "SELECT \("a\0b\0")") == "a\0b\0")
    #expect(try db.querySingle((String, String).self, "SELECT \("\0"), \("")") == ("\0", ""))
    let error = storeError { _ = try db.querySingle(String.self, "SELECT CAST(x'EDA080' AS TEXT) AS odd") }
    #expect(error?.code == .typeMismatch)
    #expect(error?.operation == "read column 'odd' of row 1")
    #expect(try db.querySingle(SQLValue.self, "SELECT CAST(x'EDA080' AS TEXT)") == .invalidText([0xED, 0xA0, 0x80]))
  }

  @Test func notANumberIsRefusedRatherThanStoredAsNull() throws {
    struct Sample: Entity {
      var id: Int
      var value: Double?
    }
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE Sample (id INTEGER PRIMARY KEY, value REAL)")
    #expect(storeError { try db.save(Sample(id: 1, value: .nan)) }?.code == .typeMismatch)
    #expect(storeError { try db.execute("INSERT INTO Sample VALUES (1, \(Double.nan))") }?.code == .typeMismatch)
    #expect(storeError { try db.execute("INSERT INTO Sample VALUES (1, \(Decimal.nan))") }?.code == .typeMismatch)
    #expect(try db.count(Sample.self) == 0)
    #expect(try db.save(Sample(id: 1, value: -.infinity)).value == -.infinity)
  }
}

/// Values of every type, the odd ones often.
struct RandomValues {
  var generator: SeededRandom

  init(seed: UInt64) { generator = SeededRandom(seed: seed) }

  private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: values.indices, using: &generator)] }
  private mutating func maybe<T>(_ value: T) -> T? { Int.random(in: 0..<3, using: &generator) == 0 ? nil : value }

  mutating func integer() -> Int64 {
    pick([0, 1, -1, .max, .min, 1 << 53, (1 << 53) + 1, Int64.random(in: .min ... .max, using: &generator)])
  }

  mutating func double() -> Double {
    let bits = UInt64.random(in: 0 ... .max, using: &generator)
    let any = Double(bitPattern: bits)
    return pick([
      0, -0.0, 0.1 + 0.2, 1, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e300,
      any.isNaN ? 5 : any,
    ])
  }

  mutating func string() -> String {
    let pieces = [
      "", "a", "'", "\"", "\0", "é", "e\u{301}", "👩‍👩‍👧‍👦", "--", "?", ":x", "\\", "\u{FFFD}", "\u{10FFFF}", "\n", "%", ";",
    ]
    return (0..<Int.random(in: 0...8, using: &generator)).map { _ in pick(pieces) }.joined()
  }

  mutating func bytes() -> [UInt8] {
    (0..<Int.random(in: 0...12, using: &generator)).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
  }

  mutating func value() -> SQLValue {
    pick([.null, .integer(integer()), .real(double()), .text(string()), .blob(bytes())])
  }

  private mutating func date() -> Date {
    // To the millisecond, which is what the stored text says.
    Date(
      timeIntervalSince1970: Double(Int64.random(in: -60_000_000_000_000...250_000_000_000_000, using: &generator))
        / 1000)
  }

  private mutating func uuid() -> UUID {
    let bytes = (0..<16).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }

  private mutating func decimal() throws -> Decimal {
    try #require(
      Decimal(string: pick(["0", "0.1", "-12345678901234567890.0123456789", "1e-20", "99999999999999999999"])))
  }

  private mutating func inner() -> RandomValuesTests.Inner {
    RandomValuesTests.Inner(
      text: string(), numbers: [integer(), integer()], more: [string(): double(), "none": nil], date: maybe(date()))
  }

  mutating func everything() throws -> RandomValuesTests.Everything {
    let small = Int8.random(in: .min ... .max, using: &generator)
    let number = integer()
    return RandomValuesTests.Everything(
      bool: Bool.random(using: &generator), int: Int(number), int8: small, uint: UInt(bitPattern: Int(integer())),
      uint64: maybe(.max), double: double(), maybeDouble: maybe(double()), float: Float(small) / 3, string: string(),
      maybeString: maybe(string()), data: Data(bytes()), maybeData: maybe(Data(bytes())), bytes: Data(), date: date(),
      uuid: uuid(), url: maybe(try #require(URL(string: "https://example.org/\(small)?q=1#f"))), decimal: try decimal(),
      kind: pick(RandomValuesTests.Kind.allCases), level: maybe(pick(RandomValuesTests.Level.allCases)), inner: inner(),
      maybeInner: maybe(inner()), tags: [string(), string()])
  }
}
