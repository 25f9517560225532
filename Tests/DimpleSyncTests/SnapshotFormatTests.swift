import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("The format of snapshots")
struct SnapshotFormatTests {
  private let vault = TransparentVault()
  private let signingKey = [UInt8](repeating: 7, count: 32)
  private let writer = ReplicaID(rawValue: 0x1234_5678_9ABC_DEF0)
  private let other = ReplicaID(rawValue: 5)
  private let latest = HybridTime(rawValue: 7_372_800_000_000_009)

  private func stamp(_ time: Int64, _ replica: ReplicaID? = nil) -> Stamp {
    Stamp(time: HybridTime(rawValue: 7_372_800_000_000_000 + time), replica: replica ?? writer)
  }

  private func manifest() throws -> SnapshotManifest {
    SnapshotManifest(
      vault: vault.id, writer: writer, latest: latest,
      parts: [.init(hash: [UInt8](repeating: 0xAB, count: 16), size: 1234, rows: 56)],
      replicas: [
        writer: .init(
          publicKey: try vault.publicKey(of: signingKey),
          runs: [.init(range: 1...9, chain: PackChain(before: LogChain.start, after: [UInt8](repeating: 1, count: 32)))]
        ),
        other: .init(
          publicKey: [UInt8](repeating: 2, count: 32),
          runs: [
            .init(range: 1...3, chain: PackChain(before: LogChain.start, after: [UInt8](repeating: 3, count: 32))),
            .init(
              range: 7...8,
              chain: PackChain(before: [UInt8](repeating: 4, count: 32), after: [UInt8](repeating: 5, count: 32))),
          ]),
      ],
      schema: 3, app: "Todo 2", digest: StateDigest(low: 0xFF, high: 2),
      publicKey: try vault.publicKey(of: signingKey))
  }

  private func name(_ lines: [UInt8], _ kind: SnapshotName.Kind, covered: Int64 = 14, index: UInt32 = 1) -> SnapshotName
  {
    SnapshotName(
      kind: kind, id: SnapshotID(covered: covered, writer: writer), index: index,
      contentHash: vault.hash(vault.hash(lines)))
  }

  private var rows: [SnapshotRow] {
    [
      SnapshotRow(
        key: [.text("a")], inserted: stamp(0),
        cells: [.init(stamp: stamp(0), value: .text("é\n")), .init(stamp: stamp(0), value: .real(1))]),
      SnapshotRow(
        key: [.text("b")], inserted: stamp(1), deleted: stamp(2, other),
        cells: [.init(stamp: stamp(1), value: nil), .init(stamp: stamp(3, other), value: .null)], isHeld: true),
      SnapshotRow(key: [.integer(-7)], deleted: stamp(9), cells: [nil, nil]),
      SnapshotRow(key: [.blob([1])], inserted: stamp(4), cells: [nil, .init(stamp: stamp(4), value: .integer(.max))]),
    ]
  }

  private let shape = SnapshotShape(table: "Todo", columns: ["text", "n"])

  private func part(_ rows: [SnapshotRow], _ shape: SnapshotShape) throws -> [UInt8] {
    var encoder = SnapshotPartEncoder(vault: vault.id, writer: writer, index: 1, replicas: [other, writer])
    for row in rows { try encoder.append(row, of: shape) }
    return encoder.bytes
  }

  private func read(_ lines: [UInt8], _ name: SnapshotName) throws -> [SnapshotPartReader.Line] {
    var reader = try SnapshotPartReader(lines, name: name, latest: latest, vault: vault)
    var read: [SnapshotPartReader.Line] = []
    while let line = try reader.next() { read.append(line) }
    return read
  }

  private func code(_ body: () throws -> Void) -> SyncError.Code? {
    do { try body() } catch let error as SyncError { return error.code } catch { Issue.record("\(error)") }
    return nil
  }

  @Test func namesReadBack() throws {
    for kind in [SnapshotName.Kind.part, .manifest] {
      let name = name([1, 2, 3], kind, covered: .max, index: .max)
      #expect(name.record.count == 37)
      #expect(SnapshotName(record: name.record) == name)
    }
    var record = name([], .part).record
    record[0] = 3
    #expect(SnapshotName(record: record) == nil)
    #expect(SnapshotName(record: Array(record.dropLast())) == nil)
    #expect(SnapshotName(record: [1] + [UInt8](repeating: 0xFF, count: 36)) == nil)
    // A replica has 62 bits: other records would be other names of the same object.
    var impossible = name([], .part).record
    impossible[1] |= 0x80
    #expect(SnapshotName(record: impossible) == nil)
  }

  @Test func theManifestsBytesArePinned() throws {
    let lines = try manifest().encoded(vault: vault, signingKey: signingKey)
    let text = String(decoding: lines, as: UTF8.self)
    let (zeros, ones, threes) = (
      String(repeating: "00", count: 32), String(repeating: "01", count: 32), String(repeating: "03", count: 32)
    )
    let (fours, fives) = (String(repeating: "04", count: 32), String(repeating: "05", count: 32))
    let key = hex(try vault.publicKey(of: signingKey))
    let signed =
      #"{"format":1,"vault":"transparent","kind":"snapshot","writer":"123456789abcdef0","latest":7372800000000009,"#
      + #""parts":[{"hash":"abababababababababababababababab","size":1234,"rows":56}],"replicas":{"#
      + #""0000000000000005":{"key":"\#(String(repeating: "02", count: 32))","runs":[[1,3,"\#(zeros)","\#(threes)"],[7,8,"\#(fours)","\#(fives)"]]},"#
      + #""123456789abcdef0":{"key":"\#(key)","runs":[[1,9,"\#(zeros)","\#(ones)"]]}},"schema":3,"app":"Todo 2","digest":"000000000000000200000000000000ff","key":"\#(key)""#
    let signature = try vault.sign(Array((signed + "}").utf8), with: signingKey)
    #expect(text == signed + #","signature":"\#(hex(signature))"}"# + "\n")
  }

  private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  @Test func thePartsBytesArePinned() throws {
    #expect(
      String(decoding: try part(rows, shape), as: UTF8.self) == """
        {"format":1,"vault":"transparent","kind":"rows","writer":"123456789abcdef0","index":1,"replicas":["0000000000000005","123456789abcdef0"]}
        {"table":"Todo","columns":["text","n"]}
        {"key":["a"],"inserted":[7372800000000000,1],"values":["é\\n",1.0]}
        {"key":["b"],"inserted":[7372800000000001,1],"deleted":[7372800000000002,0],"values":[{},null],"stamps":[0,[7372800000000003,0]],"held":true}
        {"key":[-7],"deleted":[7372800000000009,1]}
        {"key":[{"blob":"AQ=="}],"inserted":[7372800000000004,1],"values":[null,9223372036854775807],"stamps":[null,0]}

        """)
  }

  @Test func whatIsWrittenReadsBack() throws {
    let manifest = try manifest()
    let lines = try manifest.encoded(vault: vault, signingKey: signingKey)
    var decoded = try SnapshotManifestDecoder.decode(lines, name: name(lines, .manifest), vault: vault)
    decoded.signature = []
    #expect(decoded == manifest)
    #expect(decoded.id == SnapshotID(covered: 14, writer: writer))
    let values = ValueSamples.all
    let wide = SnapshotShape(table: #"a" b"#, columns: values.indices.map { "c\($0)" })
    let row = SnapshotRow(
      key: [.text("k\0"), .integer(.min)], inserted: stamp(0), cells: values.map { .init(stamp: stamp(0), value: $0) })
    let part = try part([row], wide)
    #expect(try read(part, name(part, .part)) == [.shape(wide), .row(row)])
    let several = try self.part(rows, shape)
    #expect(try read(several, name(several, .part)) == [.shape(shape)] + rows.map(SnapshotPartReader.Line.row))
  }

  @Test func membersThatAreNotKnownAreSignedAndPassedOver() throws {
    let lines = try manifest().encoded(vault: vault, signingKey: signingKey)
    let signature = try #require(String(decoding: lines, as: UTF8.self).firstRange(of: #","signature""#))
    let unsigned = String(decoding: lines, as: UTF8.self)[..<signature.lowerBound] + #","other":{"x":[1]}"#
    let signed = try vault.sign(Array((unsigned + "}").utf8), with: signingKey)
    let extended = Array((unsigned + #","signature":"\#(hex(signed))"}"# + "\n").utf8)
    _ = try SnapshotManifestDecoder.decode(extended, name: name(extended, .manifest), vault: vault)
    let part = Array(
      String(decoding: try part(rows, shape), as: UTF8.self).replacing(#""held":true"#, with: #""held":true,"x":{}"#)
        .utf8)
    #expect(try read(part, name(part, .part)) == [.shape(shape)] + rows.map(SnapshotPartReader.Line.row))
  }

  @Test func whatIsAlteredForgedOrNewerIsRefused() throws {
    let lines = try manifest().encoded(vault: vault, signingKey: signingKey)
    func code(_ lines: [UInt8], _ name: SnapshotName) -> SyncError.Code? {
      self.code { _ = try SnapshotManifestDecoder.decode(lines, name: name, vault: vault) }
    }
    #expect(code(Array(lines.dropLast(2)), name(lines, .manifest)) == .damagedObject)
    let forged = Array(String(decoding: lines, as: UTF8.self).replacing("[1,9,", with: "[1,8,").utf8)
    #expect(code(forged, name(forged, .manifest, covered: 13)) == .forgedAuthor)
    #expect(code(lines, name(lines, .manifest, covered: 15)) == .damagedObject)
    #expect(code(lines, name(lines, .manifest, index: 2)) == .damagedObject)
    var newer = try manifest()
    newer.format = 2
    let encoded = try newer.encoded(vault: vault, signingKey: signingKey)
    #expect(code(encoded, name(encoded, .manifest)) == .unsupportedFormat)
    let part = try part(rows, shape)
    for (old, new) in [
      (#""index":1"#, #""index":2"#), (#""vault":"transparent""#, #""vault":"x""#), (",1],\"values", ",2],\"values"),
    ] {
      let altered = Array(String(decoding: part, as: UTF8.self).replacing(old, with: new).utf8)
      #expect(self.code { _ = try read(altered, name(altered, .part)) } == .damagedObject)
    }
    let future = Array(
      String(decoding: part, as: UTF8.self).replacing("[7372800000000009,", with: "[7372800000000010,").utf8)
    #expect(self.code { _ = try read(future, name(future, .part)) } == .damagedObject)
  }

  @Test func mutatedManifestsAndPartsAreRefusedOrReadWithoutATrap() throws {
    var random = SeededRandom(seed: 11)
    let manifest = try manifest().encoded(vault: vault, signingKey: signingKey)
    let part = try part(rows, shape)
    for round in 0..<4000 {
      let original = round.isMultiple(of: 2) ? manifest : part
      var mutated = original
      for _ in 0...random.below(4) { mutated[random.below(mutated.count)] = UInt8(random.below(256)) }
      if random.oneIn(4) { mutated.removeSubrange(random.below(mutated.count)...) }
      if mutated == original { continue }
      // With the hash made to fit, the parser itself must cope.
      if round.isMultiple(of: 2) {
        #expect(
          code { _ = try SnapshotManifestDecoder.decode(mutated, name: name(mutated, .manifest), vault: vault) } != nil)
      } else {
        _ = code { _ = try read(mutated, name(mutated, .part)) }
      }
    }
  }
}
