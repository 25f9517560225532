/// Carries one request to a server and one response back: the only thing DimpleS3 needs of a network.
///
/// libcurl does it on Linux; a platform with an HTTP client of its own writes one more of these.
package protocol HTTPTransport: Sendable {
  /// Sends `request` and waits until the response is complete. Redirects are not followed: they are responses.
  ///
  /// - Parameter receive: Called with the response's pieces in order, none larger than a few hundred KiB, on a thread that
  ///   may block for a moment; never called again once this method has returned. What it throws ends the transfer and is
  ///   thrown from here.
  /// - Throws: ``HTTPTransportError``; `CancellationError` soon after the task is cancelled.
  func send(
    _ request: HTTPRequest,
    receive: @escaping @Sendable (_ head: HTTPResponseHead, _ piece: UnsafeRawBufferPointer) throws -> Void
  ) async throws -> HTTPResponseHead
}

/// What is sent.
package struct HTTPRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case delete = "DELETE"
  }

  package var method: Method
  /// Absolute, percent-encoded; sent as it is.
  package var url: String
  /// In the order to send; `Host` and `Content-Length` are the transport's.
  package var headers: [HTTPHeader]
  package var body: RequestBody

  package init(method: Method, url: String, headers: [HTTPHeader] = [], body: RequestBody = .empty) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// One line of a request's or response's head.
package struct HTTPHeader: Sendable, Hashable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// A response without its body.
package struct HTTPResponseHead: Sendable, Hashable {
  package var status: Int
  package var headers: [HTTPHeader]

  package init(status: Int, headers: [HTTPHeader] = []) {
    self.status = status
    self.headers = headers
  }

  /// The first header of that name; names ignore case.
  package subscript(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// What `Content-Length` says, in bytes.
  package var contentLength: Int64? { self["content-length"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil } }
}

/// No response, or not a whole one.
package struct HTTPTransportError: Error, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    /// The name of the host means nothing to the resolver.
    case nameNotResolved
    /// Nobody listens there.
    case connectionFailed
    /// No encrypted connection, or to the wrong host.
    case tlsFailed
    /// Too slow, or silent.
    case timedOut
    /// The connection broke off in the middle.
    case connectionLost
    /// What answers does not speak HTTP.
    case protocolViolation
    /// The request's body could not be read.
    case bodyUnreadable
    /// The URL is none, or the library refused the request.
    case invalidRequest
  }

  package var kind: Kind
  /// For people; never holds a header or a body.
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { "\(kind.rawValue): \(message)" }
}
