import DimplePrimitives
import Testing

/// The bytes of a vector as the standards print it; spaces and line ends do not count.
func hex(_ text: String) throws -> [UInt8] {
  try #require(Hex.decode(text.filter { !$0.isWhitespace }))
}

func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
