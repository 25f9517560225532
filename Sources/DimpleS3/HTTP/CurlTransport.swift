internal import CCurl
internal import DimpleMutex
internal import Dispatch

/// ``HTTPTransport`` over libcurl's multi interface: one thread drives all transfers, connections are reused.
///
/// The thread runs while there are transfers. HTTP/2 where the server offers it under TLS, HTTP/1.1 else; certificates are
/// always verified; nothing is read from `.netrc` and no cookie is kept. A proxy from the environment is used for `https`
/// alone, where it sees ciphertext.
package final class CurlTransport: HTTPTransport, @unchecked Sendable {  // one queue drives, the rest is locked
  /// How long to wait, and for what.
  package struct Options: Sendable {
    /// For a connection, TLS included.
    package var connectTimeout: Duration = .seconds(10)
    /// How long a transfer may crawl below ``slowestBytesPerSecond`` before it counts as hung; whole seconds.
    package var stallTimeout: Duration = .seconds(30)
    /// Slower than this is as good as hung.
    package var slowestBytesPerSecond = 64
    package var maximumConnectionsPerHost = 8

    package init() {}
  }

  private struct Shared {
    var incoming: [CurlTransfer] = []
    var isDriving = false
  }

  /// Once per process; libcurl counts further calls, but forgets nothing.
  private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  private let options: Options
  private let queue = DispatchQueue(label: "dimple.curl")
  private let shared = Mutex(Shared())
  /// `nil` when libcurl had no memory for it.
  private let multi: UnsafeMutableRawPointer?
  /// Under way, by libcurl's handle. Touched on the queue alone.
  private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]

  package init(_ options: Options = Options()) {
    self.options = options
    multi = Self.isLibraryReady ? curl_multi_init() : nil
    if multi != nil {
      _ = ccurl_multi_setopt_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, options.maximumConnectionsPerHost)
      _ = ccurl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, options.maximumConnectionsPerHost * 2)
    }
  }

  // Nothing is driven now: driving retains self.
  deinit { if multi != nil { curl_multi_cleanup(multi) } }

  package func send(
    _ request: HTTPRequest,
    receive: @escaping @Sendable (_ head: HTTPResponseHead, _ piece: UnsafeRawBufferPointer) throws -> Void
  ) async throws -> HTTPResponseHead {
    try Task.checkCancellation()
    guard multi != nil else { throw HTTPTransportError(.invalidRequest, "libcurl could not be set up") }
    let transfer = CurlTransfer(request, receive: receive)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        transfer.continuation = continuation
        enqueue(transfer)
      }
    } onCancel: {
      transfer.isCancelled.store(true, ordering: .releasing)
      // Idle now means that the transfer is over, or yet to come: then it is found cancelled.
      shared.withLock { if $0.isDriving { curl_multi_wakeup(multi) } }
    }
  }

  private func enqueue(_ transfer: CurlTransfer) {
    shared.withLock { shared in
      shared.incoming.append(transfer)
      if shared.isDriving {
        curl_multi_wakeup(multi)
      } else {
        shared.isDriving = true
        queue.async { BrokenPipes.ignored { self.drive() } }
      }
    }
  }
}

// MARK: - Driving, on the queue

extension CurlTransport {
  private func drive() {
    while let incoming = takeIncoming() {
      for transfer in incoming { start(transfer) }
      for (easy, transfer) in transfers where transfer.isCancelled.load(ordering: .acquiring) {
        finish(easy, .failure(CancellationError()))
      }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      finishDone()
      if !transfers.isEmpty { curl_multi_poll(multi, nil, 0, 1000, nil) }
    }
  }

  /// What came since the last call; `nil` ends the driving: nothing came and nothing is under way.
  private func takeIncoming() -> [CurlTransfer]? {
    shared.withLock { shared in
      if shared.incoming.isEmpty, transfers.isEmpty {
        shared.isDriving = false
        return nil
      }
      defer { shared.incoming = [] }
      return shared.incoming
    }
  }

  private func start(_ transfer: CurlTransfer) {
    do {
      guard !transfer.isCancelled.load(ordering: .acquiring) else { throw CancellationError() }
      guard let easy = curl_easy_init() else { throw HTTPTransportError(.invalidRequest, "libcurl has no memory") }
      do {
        try transfer.configure(easy, options)
      } catch {
        curl_easy_cleanup(easy)
        throw error
      }
      guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
        curl_easy_cleanup(easy)
        throw HTTPTransportError(.invalidRequest, "libcurl does not take the request")
      }
      transfers[easy] = transfer
    } catch {
      transfer.continuation?.resume(throwing: error)
    }
  }

  private func finishDone() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      let result = ccurl_message_result(message)
      // The message dies with the handle's removal.
      if let transfer = transfers[easy] { finish(easy, transfer.outcome(result)) }
    }
  }

  private func finish(_ easy: UnsafeMutableRawPointer, _ outcome: Result<HTTPResponseHead, any Error>) {
    curl_multi_remove_handle(multi, easy)
    curl_easy_cleanup(easy)
    guard let transfer = transfers.removeValue(forKey: easy) else { return }
    transfer.release()
    transfer.continuation?.resume(with: outcome)
  }
}

// MARK: - One transfer

/// A request under way. Made by the sending task, then used by the driving queue alone.
private final class CurlTransfer: @unchecked Sendable {  // handed over once, through the queue; isCancelled is atomic
  let isCancelled = Atomic<Bool>(false)
  var continuation: CheckedContinuation<HTTPResponseHead, any Error>?

  private let request: HTTPRequest
  private let receive: @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  private var parser = ResponseHeadParser()
  private var reader: (any BodyReader)?
  /// What one of our callbacks threw; libcurl only learns that it failed.
  private var failure: (any Error)?
  private var headerList: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  init(
    _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  ) {
    self.request = request
    self.receive = receive
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    release()
    errorText.deallocate()
  }

  /// After libcurl has let go of the handle.
  func release() {
    curl_slist_free_all(headerList)
    headerList = nil
    reader = nil
  }

  func configure(_ easy: UnsafeMutableRawPointer, _ options: CurlTransport.Options) throws {
    func check(_ result: CURLcode) throws {
      guard result == CURLE_OK else {
        throw HTTPTransportError(.invalidRequest, String(cString: curl_easy_strerror(result)))
      }
    }
    try check(ccurl_setopt_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
    try check(ccurl_setopt_string(easy, CURLOPT_URL, request.url))
    try check(ccurl_allow_http_only(easy))
    // The signature covers the path as it is written.
    try check(ccurl_setopt_long(easy, CURLOPT_PATH_AS_IS, 1))
    // Timeouts by signals would hit any thread of the app.
    try check(ccurl_setopt_long(easy, CURLOPT_NOSIGNAL, 1))
    try check(ccurl_setopt_long(easy, CURLOPT_FOLLOWLOCATION, 0))
    try check(ccurl_setopt_long(easy, CURLOPT_TCP_KEEPALIVE, 1))
    try check(ccurl_setopt_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)))
    if request.url.hasPrefix("http:") { try check(ccurl_setopt_string(easy, CURLOPT_PROXY, "")) }
    try check(ccurl_setopt_long(easy, CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeout.milliseconds))
    try check(ccurl_setopt_long(easy, CURLOPT_LOW_SPEED_LIMIT, options.slowestBytesPerSecond))
    try check(ccurl_setopt_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, options.stallTimeout.milliseconds / 1000)))
    try check(ccurl_setopt_string(easy, CURLOPT_USERAGENT, "DimpleDb"))
    try setHeaders()
    try check(ccurl_setopt_list(easy, CURLOPT_HTTPHEADER, headerList))
    try setCallbacks(easy, check)
    try setMethod(easy, check)
  }

  private func setHeaders() throws {
    for header in request.headers {
      let line = "\(header.name): \(header.value)"
      guard !line.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
        throw HTTPTransportError(.invalidRequest, "the header \(header.name) holds a control character")
      }
      guard let longer = curl_slist_append(headerList, line) else {
        throw HTTPTransportError(.invalidRequest, "libcurl has no memory")
      }
      headerList = longer
    }
  }

  private func setMethod(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) throws -> Void) throws {
    switch request.method {
    case .get: try check(ccurl_setopt_long(easy, CURLOPT_HTTPGET, 1))
    case .head: try check(ccurl_setopt_long(easy, CURLOPT_NOBODY, 1))
    case .delete: try check(ccurl_setopt_string(easy, CURLOPT_CUSTOMREQUEST, "DELETE"))
    case .put:
      reader = try request.body.makeReader()
      try check(ccurl_setopt_long(easy, CURLOPT_UPLOAD, 1))
      try check(ccurl_setopt_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.size)))
    }
  }

  private func setCallbacks(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) throws -> Void) throws {
    // Unretained: the transport holds the transfer for as long as libcurl holds the handle.
    let context = Unmanaged.passUnretained(self).toOpaque()
    try check(ccurl_setopt_pointer(easy, CURLOPT_HEADERDATA, context))
    try check(
      ccurl_setopt_data(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
        guard let transfer = CurlTransfer.from(context) else { return 0 }
        return transfer.takeHeader(UnsafeRawBufferPointer(start: data, count: size * count))
      })
    try check(ccurl_setopt_pointer(easy, CURLOPT_WRITEDATA, context))
    try check(
      ccurl_setopt_data(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
        guard let transfer = CurlTransfer.from(context) else { return 0 }
        return transfer.takeBody(UnsafeRawBufferPointer(start: data, count: size * count))
      })
    try check(ccurl_setopt_pointer(easy, CURLOPT_READDATA, context))
    try check(
      ccurl_setopt_data(easy, CURLOPT_READFUNCTION) { data, size, count, context in
        guard let transfer = CurlTransfer.from(context) else { return Int(CURL_READFUNC_ABORT) }
        return transfer.giveBody(UnsafeMutableRawBufferPointer(start: data, count: size * count))
      })
    try check(ccurl_setopt_pointer(easy, CURLOPT_SEEKDATA, context))
    try check(
      ccurl_setopt_seek(easy) { context, offset, origin in
        guard let transfer = CurlTransfer.from(context), origin == 0 else { return CURL_SEEKFUNC_FAIL }
        return transfer.rewind(to: Int64(offset))
      })
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
    context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Runs what may throw for a callback, which can only answer with a number.
  private func attempt<Answer>(orAnswer failed: Answer, _ body: () throws -> Answer) -> Answer {
    do {
      return try body()
    } catch {
      failure = failure ?? error
      return failed
    }
  }

  private func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
    attempt(orAnswer: 0) {
      try parser.take(line)
      return line.count
    }
  }

  private func takeBody(_ piece: UnsafeRawBufferPointer) -> Int {
    attempt(orAnswer: 0) {
      try receive(parser.head, piece)
      return piece.count
    }
  }

  private func giveBody(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    attempt(orAnswer: Int(CURL_READFUNC_ABORT)) { try reader?.read(into: buffer) ?? 0 }
  }

  private func rewind(to offset: Int64) -> Int32 {
    attempt(orAnswer: CURL_SEEKFUNC_FAIL) {
      try reader?.seek(to: offset)
      return CURL_SEEKFUNC_OK
    }
  }

  /// What the transfer came to, once libcurl is done with it.
  func outcome(_ result: CURLcode) -> Result<HTTPResponseHead, any Error> {
    if let failure { return .failure(failure) }
    if result == CURLE_OK { return .success(parser.head) }
    let detail = String(cString: errorText)
    let message = detail.isEmpty ? String(cString: curl_easy_strerror(result)) : detail
    return .failure(HTTPTransportError(kind(of: result), message))
  }

  private func kind(of result: CURLcode) -> HTTPTransportError.Kind {
    switch result {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .nameNotResolved
    case CURLE_COULDNT_CONNECT: .connectionFailed
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
      CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_NOTFOUND:
      .tlsFailed
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM,
      CURLE_SEND_FAIL_REWIND, CURLE_UPLOAD_FAILED:
      .connectionLost
    case CURLE_READ_ERROR, CURLE_ABORTED_BY_CALLBACK: .bodyUnreadable
    case CURLE_URL_MALFORMAT, CURLE_OUT_OF_MEMORY, CURLE_BAD_FUNCTION_ARGUMENT: .invalidRequest
    default: .protocolViolation
    }
  }
}

extension Duration {
  /// Rounded down.
  fileprivate var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
