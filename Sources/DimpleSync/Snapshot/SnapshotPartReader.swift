internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// Reads the JSON lines of one part, one at a time, from a bucket that may be hostile. Never traps.
struct SnapshotPartReader {
  enum Line: Equatable {
    /// From here on, rows are of this table.
    case shape(SnapshotShape)
    case row(SnapshotRow)
  }

  private let bytes: [UInt8]
  /// No stamp lies beyond it.
  let latest: HybridTime
  private var offset = 0
  private var replicas: [ReplicaID] = []
  private var columnCount: Int?

  /// Checks the hash and the first line.
  ///
  /// - Parameters:
  ///   - name: As the manifest gives it.
  ///   - latest: The manifest's; no stamp may lie beyond it.
  /// - Throws: ``SyncError/Code/damagedObject``, ``SyncError/Code/unsupportedFormat``.
  init(_ bytes: [UInt8], name: SnapshotName, latest: HybridTime, vault: any Vault) throws {
    self.bytes = bytes
    self.latest = latest
    guard vault.isHash(name.hash, of: SHA256.hash(bytes)) else {
      throw Self.damaged("The contents do not have the hash that the name says.")
    }
    guard bytes.last == UInt8(ascii: "\n"), let line = nextLine() else {
      throw Self.damaged("The last line does not end.")
    }
    let json = try JSONParser.parse(line)
    guard let format = json["format"]?.integerValue else { throw Self.damaged("It has no format.") }
    guard format <= PackHeader.currentFormat, format >= 1 else {
      throw SyncError(
        .unsupportedFormat, operation: "read a snapshot", message: "The part has format \(format).",
        hint: "It was written by a newer version of the app: update this one.")
    }
    guard let id = json["vault"]?.stringValue, vault.hasID(id), json["kind"]?.stringValue == "rows",
      json["writer"]?.stringValue == name.id.writer.description, json["index"]?.integerValue == Int64(name.index),
      let replicas = json["replicas"]?.arrayValue
    else { throw Self.damaged("It is not what its name says.") }
    self.replicas = try replicas.map { json in
      guard let replica = json.stringValue.flatMap(ReplicaID.init(hexadecimal:)) else {
        throw Self.damaged("A replica cannot be read.")
      }
      return replica
    }
  }

  private static func damaged(_ message: String) -> SyncError {
    SyncError(
      .damagedObject, operation: "read a snapshot", message: message,
      hint: "Packs are read instead; the next snapshot replaces it.")
  }

  private mutating func nextLine() -> ArraySlice<UInt8>? {
    guard offset < bytes.count else { return nil }
    let end = bytes.withUnsafeBufferPointer { $0[offset...].firstIndex(of: UInt8(ascii: "\n")) } ?? bytes.count
    defer { offset = end + 1 }
    return bytes[offset..<end]
  }

  /// All replicas that stamps name.
  var authors: [ReplicaID] { replicas }

  /// `nil` at the end.
  ///
  /// - Parameters:
  ///   - large: Gets the value to a reference; `nil` where a part of it is not here.
  ///   - takePlain: Is offered the next lines before they are parsed; takes some that have the form that it knows, if any.
  mutating func next(
    large: (BigReference) throws -> SQLValue? = { _ in nil },
    _ takePlain: (inout JSONCursor) throws -> Bool = { _ in false }
  ) throws -> Line? {
    if columnCount != nil {
      offset = try bytes.withUnsafeBufferPointer { bytes in
        guard var cursor = JSONCursor(bytes, from: offset) else { return offset }
        var start = cursor.offset
        while try !cursor.isAtEnd && takePlain(&cursor) { start = cursor.offset }
        return start
      }
    }
    guard let line = nextLine() else { return nil }
    let json = try JSONParser.parse(line)
    if let table = json["table"]?.stringValue {
      guard let columns = json["columns"]?.arrayValue?.compactMap(\.stringValue),
        columns.count == json["columns"]?.arrayValue?.count, Set(columns).count == columns.count
      else { throw Self.damaged("The columns of a table cannot be read.") }
      columnCount = columns.count
      return .shape(SnapshotShape(table: table, columns: columns))
    }
    return .row(try row(json, large))
  }

  private func row(_ json: JSON, _ large: (BigReference) throws -> SQLValue?) throws -> SnapshotRow {
    guard let columnCount, let key = json["key"]?.arrayValue, !key.isEmpty, !key.contains(.null) else {
      throw Self.damaged("A row cannot be read.")
    }
    let inserted = try json["inserted"].map(stamp)
    return SnapshotRow(
      key: try key.map(ValueJSON.read), inserted: inserted, deleted: try json["deleted"].map(stamp),
      cells: try cells(json, count: columnCount, inserted: inserted, large), isHeld: json["held"] == .bool(true))
  }

  private func cells(
    _ json: JSON, count: Int, inserted: Stamp?, _ large: (BigReference) throws -> SQLValue?
  ) throws -> [RowState.Cell?] {
    guard let values = json["values"]?.arrayValue else { return Array(repeating: nil, count: count) }
    let stamps = json["stamps"]?.arrayValue
    guard values.count == count, stamps.map({ $0.count == count }) ?? true else {
      throw Self.damaged("A row has another number of values than its table.")
    }
    return try values.indices.map { index in
      let stamp: Stamp?
      switch stamps?[index] {
      case .some(.null): return nil
      case nil, .some(.integer(0)): stamp = inserted
      case .some(let json): stamp = try self.stamp(json)
      }
      guard let stamp else { throw Self.damaged("A value has no stamp.") }
      let value = values[index] == .object([]) ? nil : try self.value(values[index], large)
      return RowState.Cell(stamp: stamp, value: value)
    }
  }

  private func value(_ json: JSON, _ large: (BigReference) throws -> SQLValue?) throws -> SQLValue {
    guard let big = json["big"] else { return try ValueJSON.read(json) }
    guard json.members?.count == 1, let reference = BigReference(big) else {
      throw Self.damaged("A reference to a large value cannot be read.")
    }
    guard let value = try large(reference) else { throw Self.damaged("A part of a large value is missing.") }
    return value
  }

  private func stamp(_ json: JSON) throws -> Stamp {
    guard let parts = json.arrayValue, parts.count == 2, let time = parts[0].integerValue,
      let number = parts[1].integerValue, time >= 0, time <= latest.rawValue, number >= 0, number < replicas.count
    else { throw Self.damaged("A stamp cannot be read.") }
    return Stamp(time: HybridTime(rawValue: time), replica: replicas[Int(number)])
  }
}
