internal import DimpleMutex

/// Where a response's body goes: what was asked for to its reader, an error's document into memory, bounded.
final class ResponseSink: Sendable {
  /// Error documents are a few hundred bytes.
  static let maximumErrorSize = 64 * 1024

  private let accepts: @Sendable (HTTPResponseHead) -> Bool
  private let consume: @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  private let errorBody = Mutex<[UInt8]>([])

  /// - Parameters:
  ///   - accepts: Whether the response is what was asked for.
  ///   - consume: Takes the pieces of such a response; what it throws ends the transfer.
  init(
    accepts: @escaping @Sendable (HTTPResponseHead) -> Bool,
    consume: @escaping @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  ) {
    self.accepts = accepts
    self.consume = consume
  }

  /// The next piece of the body.
  func take(_ head: HTTPResponseHead, _ piece: UnsafeRawBufferPointer) throws {
    guard !accepts(head) else { return try consume(head, piece) }
    errorBody.withLock { body in
      body += piece.prefix(max(0, Self.maximumErrorSize - body.count))
    }
  }

  /// The beginning of the body of a response that was not asked for; `nil` where it was.
  func errorBody(of head: HTTPResponseHead) -> [UInt8]? {
    accepts(head) ? nil : errorBody.withLock { $0 }
  }
}

/// Bytes that come in pieces, up to a limit.
final class BoundedBytes: Sendable {
  /// More came, or was announced, than the limit; in bytes, where it is known.
  struct Overflow: Error {
    let size: Int64?
  }

  private let limit: Int
  private let bytes = Mutex<[UInt8]>([])

  init(limit: Int) { self.limit = limit }

  var all: [UInt8] { bytes.withLock { $0 } }

  /// - Parameter announced: The whole length, if the sender told it.
  func append(_ piece: UnsafeRawBufferPointer, announced: Int64?) throws(Overflow) {
    if let announced, announced > Int64(limit) { throw Overflow(size: announced) }
    try bytes.withLock { bytes throws(Overflow) in
      guard bytes.count + piece.count <= limit else { throw Overflow(size: nil) }
      if bytes.isEmpty, let announced { bytes.reserveCapacity(Int(announced)) }
      bytes += piece
    }
  }
}
