import DimplePrimitives
import Testing

@Suite("Random bytes, comparison and hex")
struct ByteTests {
  @Test("Random bytes have the length asked for and do not repeat")
  func random() throws {
    #expect(try SecureRandom.bytes(0) == [])
    #expect(try SecureRandom.bytes(33).count == 33)
    #expect(try SecureRandom.bytes(32) != SecureRandom.bytes(32))
    let error = #expect(throws: PrimitiveError.self) { try SecureRandom.bytes(-1) }
    #expect(error?.code == .invalidLength)
  }

  @Test("Comparison tells equal from unequal")
  func comparison() {
    #expect(ConstantTime.areEqual([], []))
    #expect(ConstantTime.areEqual([1, 2, 3], [1, 2, 3]))
    #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2, 4]))
    #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2]))
  }

  @Test("Hex goes both ways and refuses what is not hex")
  func hexText() {
    #expect(Hex.encode([]) == "")
    #expect(Hex.encode([0x00, 0x9F, 0xFF]) == "009fff")
    #expect(Hex.decode("009fFF") == [0x00, 0x9F, 0xFF])
    for text in ["0", "0g", "+1", " 1", "é"] { #expect(Hex.decode(text) == nil, "\(text)") }
  }
}
