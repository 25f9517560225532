internal import DimpleRemote

extension S3Client {
  /// One page of the objects whose key starts with `prefix`.
  ///
  /// - Parameters:
  ///   - continuationToken: `nil` for the first page, then that of the page before.
  ///   - limit: At most so many objects; services give at most 1,000.
  public func list(
    prefix: String = "", continuationToken: String? = nil, limit: Int = 1000
  ) async throws -> S3ListPage {
    var call = S3Call("list \(prefix.isEmpty ? configuration.bucket : prefix)", .get, key: nil)
    call.query = [
      ("list-type", "2"), ("prefix", prefix), ("max-keys", String(limit)), ("encoding-type", "url"),
    ]
    if let continuationToken { call.query.append(("continuation-token", continuationToken)) }
    let document = BoundedBytes(limit: XMLParser.maximumSize)
    let head: HTTPResponseHead
    do {
      head = try await perform(call) { head, piece in
        try document.append(piece, announced: head.contentLength)
      }
    } catch is BoundedBytes.Overflow {
      throw RemoteError(
        .damaged, operation: call.operation, message: "The listing is longer than any listing.",
        hint: "Check the endpoint.")
    }
    let time = head.date.map { $0.seconds * 1000 }
    do {
      return try S3ListPage(parsing: document.all, prefix: prefix, serverTimeMilliseconds: time)
    } catch .malformed(let what) {
      throw RemoteError(
        .damaged, operation: call.operation, message: "The listing is malformed: \(what).",
        hint: "The server breaks the protocol; try another endpoint.")
    } catch {
      throw S3Failure(operation: call.operation, configuration: configuration, head: head, body: []).foreign
    }
  }
}
