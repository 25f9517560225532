// Public, so that it is compiled into what uses it; nobody else does.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// Ten integers and no key: the row of GRDB's own benchmarks.
public struct Item: Sample {
  public var i0, i1, i2, i3, i4, i5, i6, i7, i8, i9: Int

  @inlinable
  public init(
    i0: Int, i1: Int, i2: Int, i3: Int, i4: Int, i5: Int, i6: Int, i7: Int, i8: Int, i9: Int
  ) {
    self.i0 = i0
    self.i1 = i1
    self.i2 = i2
    self.i3 = i3
    self.i4 = i4
    self.i5 = i5
    self.i6 = i6
    self.i7 = i7
    self.i8 = i8
    self.i9 = i9
  }

  public init(number: Int) {
    self.init(
      i0: number, i1: number, i2: number, i3: number, i4: number, i5: number, i6: number, i7: number, i8: number,
      i9: number)
  }

  @inlinable
  public var checksum: Int { i0 &+ i1 &+ i2 &+ i3 &+ i4 &+ i5 &+ i6 &+ i7 &+ i8 &+ i9 }

  public static let createTable = """
    CREATE TABLE Item (i0 INT, i1 INT, i2 INT, i3 INT, i4 INT, i5 INT, i6 INT, i7 INT, i8 INT, i9 INT)
    """
  public static let insertSQL = "INSERT INTO Item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
  public static let selectSQL = "SELECT * FROM Item"
}
