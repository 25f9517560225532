import Testing

@testable import DimpleChangelog

@Suite("The text of a UUID in 16 bytes")
struct UUIDTextTests {
  private func parsed(_ text: [UInt8]) -> UUIDText? { text.withUnsafeBytes { UUIDText($0) } }

  @Test("Any one byte at any place: kept to the byte, or left alone")
  func everyByteEverywhere() {
    for text in ["01931f3a-7c4e-7abc-8000-9bcdef000005", "01931F3A-7C4E-7ABC-8000-9BCDEF000005"] {
      let original = Array(text.utf8)
      #expect(parsed(original)?.characters == text)
      let letters = original.filter { (0x41...0x5A).contains($0 & ~0x20) }
      for index in original.indices {
        for byte in UInt8.min...UInt8.max {
          var changed = original
          changed[index] = byte
          let isHyphen = original[index] == 0x2D
          let isDigit = (0x30...0x39).contains(byte)
          let isLetter = (0x41...0x46).contains(byte & ~0x20) && byte & 0x20 == letters[0] & 0x20
          let isUUID = isHyphen ? byte == 0x2D : isDigit || isLetter
          let uuid = parsed(changed)
          #expect((uuid != nil) == isUUID, "byte \(byte) at \(index)")
          if let uuid { #expect(Array(uuid.characters.utf8) == changed) }
        }
      }
    }
  }

  @Test("Other lengths are not", arguments: [0, 35, 37])
  func otherLengths(_ length: Int) {
    #expect(parsed([UInt8](repeating: 0x30, count: length)) == nil)
  }
}
