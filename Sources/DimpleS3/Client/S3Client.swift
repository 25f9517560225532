internal import DimpleMutex
internal import DimpleRemote
internal import Dispatch

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// A bucket of any S3-compatible service: the requests themselves, with keys as they are.
///
/// Every method may be called from any task at any time; connections are shared and reused. Bodies are streamed: memory does
/// not grow with them, except where the bytes are the argument or the result. All methods throw `RemoteError` with a hint,
/// `CancellationError` soon after the task is cancelled, and whatever a closure of the caller throws.
public final class S3Client: Sendable {
  /// Which bucket, and as whom.
  public let configuration: S3Configuration
  private let transport: any HTTPTransport
  private let clock: @Sendable () -> Int64
  /// How far the server's clock is ahead of this device's, in milliseconds; zero until it refused a request for its time.
  private let clockOffset = Mutex<Int64>(0)
  let signer: RequestSigner
  private let files = DispatchQueue(label: "dimple.s3.files")

  /// Prepares requests to a bucket; none is made yet.
  public convenience init(_ configuration: S3Configuration) {
    self.init(configuration, transport: CurlTransport())
  }

  /// - Parameter now: Milliseconds since 1970; signatures carry the time.
  package init(
    _ configuration: S3Configuration, transport: any HTTPTransport,
    now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
  ) {
    self.configuration = configuration
    self.transport = transport
    clock = now
    signer = RequestSigner(credentials: configuration.credentials, region: configuration.region)
  }
}

extension S3Client {
  /// Milliseconds since 1970, for signatures: this device's clock, set by the server's where that does not take it.
  var now: Int64 { clock() + clockOffset.withLock { $0 } }

  /// Signs and sends; returns the head of the answer hoped for (or of a tolerated error), and throws for any other.
  ///
  /// Where the server says that the clocks differ too much, it is asked once more, by its own clock.
  func perform(
    _ call: S3Call, consume: @escaping @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  ) async throws -> HTTPResponseHead {
    let (head, refusal) = try await attempt(call, consume)
    guard let refusal else { return head }
    guard refusal.isForTheTime, let time = head.date else { throw refusal.remoteError }
    let offset = time.seconds * 1000 - clock()
    clockOffset.withLock { $0 = offset }
    let (headByItsTime, lastRefusal) = try await attempt(call, consume)
    if let lastRefusal { throw lastRefusal.remoteError }
    return headByItsTime
  }

  private func attempt(
    _ call: S3Call, _ consume: @escaping @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  ) async throws -> (HTTPResponseHead, S3Failure?) {
    let sink = ResponseSink(accepts: { call.accepts($0.status) }, consume: consume)
    let head: HTTPResponseHead
    do {
      head = try await transport.send(signed(call), receive: { try sink.take($0, $1) })
    } catch let error as HTTPTransportError {
      throw RemoteError(error, operation: call.operation, configuration: configuration)
    }
    guard let body = sink.errorBody(of: head) else { return (head, nil) }
    let failure = S3Failure(operation: call.operation, configuration: configuration, head: head, body: body)
    let isTolerated =
      call.toleratedErrors.contains(failure.document?.code ?? "") || call.toleratedStatuses.contains(head.status)
    return (head, isTolerated ? nil : failure)
  }

  private func signed(_ call: S3Call) -> HTTPRequest {
    let host = HTTPHeader("Host", configuration.host)
    let request = RequestSigner.Request(
      method: call.method.rawValue, path: configuration.path(call.key), query: call.query,
      headers: [host, HTTPHeader("X-Amz-Content-Sha256", call.payloadHash)] + call.headers,
      payloadHash: call.payloadHash)
    let headers = signer.signedHeaders(request, atMilliseconds: now)
    return HTTPRequest(
      method: call.method, url: configuration.url(call.key, query: RequestSigner.canonicalQuery(call.query)),
      // The transport writes Host itself, to the same value.
      headers: headers.filter { $0.name != "Host" }, body: call.body)
  }

  func onFileQueue<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      files.async { continuation.resume(with: Swift.Result { try body() }) }
    }
  }
}
