import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Parts of large values in the database")
struct PartTableTests {
  /// A value in two parts, and its reference.
  private let bytes = [UInt8](repeating: 7, count: BigReference.partSize + 5)

  private func reference(_ kind: BigReference.Kind) -> BigReference {
    bytes.withUnsafeBytes { BigReference(kind, $0) }
  }

  private func withParts(_ body: (PartTable) throws -> Void) throws {
    let replica = try SimulatedReplica(storage: MemoryStorage(), migrations: [])
    try replica.database.write { connection in
      try connection.withInternalAccess {
        try SyncTables.create(connection)
        let (table, hashes) = (PartTable(connection: connection), reference(.blob).parts)
        for (hash, start) in zip(hashes, [0, BigReference.partSize]) {
          try table.insert(hash, Array(bytes[start..<min(start + BigReference.partSize, bytes.count)]))
        }
        try body(table)
      }
    }
  }

  @Test func aWholeValueIsMadeOfItsParts() throws {
    try withParts { table in
      let (blob, text) = (try table.value(of: reference(.blob)), try table.value(of: reference(.text)))
      #expect(blob == .blob(bytes))
      #expect(text == .text(String(decoding: bytes, as: UTF8.self)))
      let packed = try table.packed(reference(.blob))
      #expect(packed?.isFull == true)
    }
  }

  /// A stranger may say any size: it is not worth the memory.
  @Test(arguments: [0, 5, 1 << 31, 1 << 50] as [Int64]) func aReferenceOfAnotherSizeIsOfNothing(size: Int64) throws {
    var wrong = reference(.blob)
    wrong.size = size
    try withParts { table in
      let (value, packed) = (try table.value(of: wrong), try table.packed(wrong))
      #expect(value == nil)
      #expect(packed == nil)
    }
  }

  @Test func aPartThatIsNotHereMakesNothing() throws {
    var longer = reference(.blob)
    longer.parts.append([UInt8](repeating: 0, count: 32))
    try withParts { table in
      let value = try table.value(of: longer)
      #expect(value == nil)
    }
  }
}
