import DimplePrimitives
import Testing

@Suite("scrypt gives the answers of RFC 7914 and keeps to its memory")
struct ScryptTests {
  @Test("RFC 7914 §12, the first three cases")
  func vectors() throws {
    #expect(
      try Scrypt.derive(password: [UInt8](), salt: [UInt8](), logN: 4, r: 1, p: 1, count: 64)
        == hex(
          """
          77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442
          fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
          """))
    #expect(
      try Scrypt.derive(password: ascii("password"), salt: ascii("NaCl"), logN: 10, r: 8, p: 16, count: 64)
        == hex(
          """
          fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
          2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
          """))
    #expect(
      try Scrypt.derive(
        password: ascii("pleaseletmein"), salt: ascii("SodiumChloride"), logN: 14, r: 8, p: 1, count: 64)
        == hex(
          """
          7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2
          d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
          """))
  }

  @Test("More memory than allowed is refused, a little more than needed is enough")
  func memoryBound() throws {
    func derive(_ maximumMemory: Int) throws -> [UInt8] {
      try Scrypt.derive(
        password: ascii("p"), salt: ascii("s"), logN: 10, r: 8, p: 1, count: 32, maximumMemory: maximumMemory)
    }
    let error = #expect(throws: PrimitiveError.self) { try derive(1 << 20) }
    #expect(error?.code == .excessiveCost)
    #expect(try derive((1 << 20) + (1 << 16)).count == 32)
  }

  @Test("Parameters outside the standard are refused", arguments: [(0, 8, 1), (31, 8, 1), (10, 0, 1), (10, 8, 0)])
  func parameters(logN: Int, r: Int, p: Int) {
    let error = #expect(throws: PrimitiveError.self) {
      try Scrypt.derive(password: [1], salt: [2], logN: logN, r: r, p: p, count: 32)
    }
    #expect(error?.code == .invalidLength)
  }
}
