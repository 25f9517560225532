internal import DimpleRemote

extension S3Client {
  /// The object's bytes, or those in `range`.
  ///
  /// - Parameters:
  ///   - range: Where it is empty, only whether the object is there is asked.
  ///   - maximumSize: In bytes; more throws `tooLarge` before it is held in memory.
  public func get(_ key: String, range: Range<Int64>? = nil, maximumSize: Int) async throws -> [UInt8] {
    let bytes = BoundedBytes(limit: maximumSize)
    let call = try getCall(key, range)
    do {
      _ = try await perform(call) { head, piece in
        try bytes.append(piece, announced: head.contentLength)
      }
    } catch let overflow as BoundedBytes.Overflow {
      throw RemoteError.objectTooLarge(key, size: overflow.size, maximumSize: maximumSize)
    }
    return bytes.all
  }

  /// Hands the object's bytes, or those in `range`, to `receive` piece by piece.
  ///
  /// - Parameters:
  ///   - range: Where it is empty, only whether the object is there is asked.
  ///   - receive: Runs on the network's thread, in order; what it throws ends the transfer. The pointer is valid only
  ///     inside. When this method throws, what was received is only a part.
  /// - Returns: What the server says; the size is that of the range, where there is one.
  @discardableResult
  public func get(
    _ key: String, range: Range<Int64>? = nil,
    receive: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
  ) async throws -> S3Object {
    let head = try await perform(getCall(key, range)) { _, piece in try receive(piece) }
    var object = object(key, head)
    if range?.isEmpty == true { object.size = 0 }
    return object
  }

  /// Writes the object to a file, which appears whole or not at all and replaces one that is there.
  @discardableResult
  public func get(_ key: String, toFile path: String) async throws -> S3Object {
    let temporary = "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
    let operation = "get \(key)"
    do {
      let file = try File(creating: temporary)
      let head = try await perform(getCall(key, nil)) { _, piece in try file.append(piece) }
      try await onFileQueue {
        try file.sync()
        try File.move(temporary, to: path)
      }
      return object(key, head)
    } catch {
      File.remove(temporary)
      throw (error as? FileError).map { RemoteError($0, operation: operation) } ?? error
    }
  }

  /// What the server says of the object, without its bytes.
  public func head(_ key: String) async throws -> S3Object {
    object(key, try await perform(S3Call("head \(key)", .head, key: key)) { _, _ in })
  }

  private func getCall(_ key: String, _ range: Range<Int64>?) throws -> S3Call {
    let operation = "get \(key)"
    if let range, range.lowerBound < 0 {
      throw RemoteError(
        .invalidConfiguration, operation: operation, message: "The range begins before the object does.",
        hint: "Count from zero.")
    }
    // HTTP has no empty ranges.
    guard range?.isEmpty != true else { return S3Call(operation, .head, key: key) }
    var call = S3Call(operation, .get, key: key)
    if let range { call.headers.append(HTTPHeader("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")) }
    // A whole object in answer to a part's request would be taken for the part.
    call.expectedStatus = range == nil ? 200 : 206
    return call
  }

  private func object(_ key: String, _ head: HTTPResponseHead) -> S3Object {
    S3Object(
      key: key, size: head.contentLength ?? 0, etag: head["etag"]?.trimmingQuotes, lastModified: head["last-modified"])
  }
}
