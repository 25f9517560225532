import DimpleStore
import Foundation
import Testing

@Suite struct UUIDv7Tests {
  // RFC 9562 appendix A.6.
  let example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"

  @Test func theExampleOfTheStandardIsReadAndWritten() throws {
    let id = try #require(UUIDv7(example))
    #expect(id.description == example)
    #expect(id.milliseconds == 1_645_557_742_000)
    #expect(UUIDv7(example.uppercased()) == id)
  }

  @Test(arguments: [
    "", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-08c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
  ])
  func anythingElseIsRefused(text: String) {
    #expect(UUIDv7(text) == nil)
  }

  @Test func newOnesAscendAndDiffer() {
    let ids = (0..<10000).map { _ in UUIDv7() }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == ids.count)
    #expect(ids.map(\.description) == ids.map(\.description).sorted())
  }

  @Test func theyAscendThoughTheClockGoesBack() {
    var generator = UUIDv7.Generator()
    var random = SeededRandom(seed: 1)
    let first = generator.next(milliseconds: 1000, random: random.next())
    let second = generator.next(milliseconds: 10, random: random.next())
    #expect(first < second)
    #expect(second.milliseconds == 1000)
    #expect(generator.next(milliseconds: 2000, random: random.next()).milliseconds == 2000)
  }

  @Test func theyAreTextInJSONAndInSQL() throws {
    let id = try #require(UUIDv7(example))
    #expect(String(decoding: try JSONEncoder().encode([id]), as: UTF8.self) == "[\"\(example)\"]")
    #expect(try JSONDecoder().decode([UUIDv7].self, from: Data("[\"\(example)\"]".utf8)) == [id])
    #expect(id.sqlValue == .text(example))
  }

  @Test func aBlobOfSixteenBytesIsRead() throws {
    let bytes: [UInt8] = [
      0x01, 0x7F, 0x22, 0xE2, 0x79, 0xB0, 0x7C, 0xC3, 0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F,
    ]
    #expect(try UUIDv7(sqlValue: .blob(bytes)).description == example)
  }
}
