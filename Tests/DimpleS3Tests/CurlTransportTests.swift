import DimpleMutex
import DimpleRemote
import DimpleS3
import DimpleTestSupport
import Foundation
import Testing

@Suite("HTTP over libcurl, with a server that misbehaves")
struct CurlTransportTests {
  private func kind(
    _ url: String, options: CurlTransport.Options = CurlTransport.Options(), request: HTTPRequest? = nil
  ) async throws -> HTTPTransportError.Kind {
    let request = request ?? HTTPRequest(method: .get, url: url)
    let error = try #require(
      await #expect(throws: HTTPTransportError.self) { try await CurlTransport(options).send(request) { _, _ in } })
    #expect(!error.message.isEmpty)
    return error.kind
  }

  private func collect(_ request: HTTPRequest, _ transport: CurlTransport = CurlTransport()) async throws -> (
    head: HTTPResponseHead, body: [UInt8]
  ) {
    let body = Mutex<[UInt8]>([])
    let head = try await transport.send(request) { _, piece in body.withLock { $0 += piece } }
    return (head, body.withLock { $0 })
  }

  @Test("Head and body come as they were sent; the request goes as it was given") func plain() async throws {
    let seen = Mutex<String>("")
    let server = try LoopbackServer { connection in
      while let (head, body) = connection.request() {
        seen.withLock { $0 = head }
        connection.send("HTTP/1.1 207 Odd\r\nX-One:  1 \r\nContent-Length: \(body.count)\r\nX-Two: a:b\r\n\r\n")
        connection.send(body)
      }
    }
    let answer = try await collect(
      HTTPRequest(
        method: .put, url: "\(server.endpoint)/a/../b//c%2Fd?x=%20&y", headers: [HTTPHeader("X-Mine", "yes")],
        body: .bytes([1, 2, 3])))
    #expect(answer.head.status == 207)
    #expect(answer.head["x-one"] == "1" && answer.head["X-TWO"] == "a:b" && answer.head.contentLength == 3)
    #expect(answer.body == [1, 2, 3])
    let head = seen.withLock { $0 }
    #expect(head.hasPrefix("PUT /a/../b//c%2Fd?x=%20&y HTTP/1.1\r\n"), "\(head)")
    #expect(head.contains("X-Mine: yes") && head.contains("Host: 127.0.0.1:\(server.port)\r\n"))
  }

  @Test("Bodies of every size, in both directions", arguments: [0, 1, 65_536, 3_000_000])
  func sizes(size: Int) async throws {
    let server = try LoopbackServer { connection in
      while let (_, body) = connection.request() {
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for start in stride(from: 0, to: body.count, by: 100_000) {
          let piece = Array(body[start..<min(start + 100_000, body.count)])
          connection.send("\(String(piece.count, radix: 16))\r\n")
          connection.send(piece + [13, 10])
        }
        connection.send("0\r\n\r\n")
      }
    }
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let byMemory = try await collect(HTTPRequest(method: .put, url: server.endpoint, body: .bytes(bytes)))
    #expect(byMemory.body == bytes)
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: URL(filePath: folder.path("file")))
    let byFile = try await collect(
      HTTPRequest(method: .put, url: server.endpoint, body: .file(path: folder.path("file"), size: Int64(size))))
    #expect(byFile.body == bytes)
  }

  @Test("Connections are reused, one request after the other") func reuse() async throws {
    let server = try LoopbackServer { connection in
      while connection.request() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
    }
    let transport = CurlTransport()
    var longest = Duration.zero
    for _ in 0..<20 {
      let taken = try await ContinuousClock().measure {
        _ = try await collect(HTTPRequest(method: .get, url: server.endpoint), transport)
      }
      longest = max(longest, taken)
    }
    // libcurl gives up a connection that was idle for 118 seconds; a machine that is busy enough may take that long.
    #expect(server.connectionCount == 1 || longest > .seconds(100))
  }

  @Test("An idle connection that the server closed costs no failure, uploads included") func staleConnection()
    async throws
  {
    let server = try LoopbackServer { connection in
      guard let (_, body) = connection.request() else { return }
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
      connection.send(body)
    }
    let transport = CurlTransport()
    for round in 0..<10 {
      let bytes = [UInt8](repeating: UInt8(round), count: 100_000)
      let answer = try await collect(HTTPRequest(method: .put, url: server.endpoint, body: .bytes(bytes)), transport)
      #expect(answer.body == bytes)
    }
  }

  @Test("Nobody listens, nobody has that name") func unreachable() async throws {
    let port = try LoopbackServer { _ in }.port
    #expect(try await kind("http://127.0.0.1:\(port)/") == .connectionFailed)
    #expect(try await kind("http://host.invalid/") == .nameNotResolved)
  }

  @Test("A body cut short is an error, not a shorter body") func truncated() async throws {
    for head in ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"] {
      let server = try LoopbackServer { connection in
        _ = connection.request()
        connection.send("HTTP/1.1 200 OK\r\n\(head)only this")
      }
      #expect(try await kind(server.endpoint) == .connectionLost)
    }
  }

  @Test("A connection closed without an answer") func noAnswer() async throws {
    let server = try LoopbackServer { connection in _ = connection.request() }
    #expect(try await kind(server.endpoint) == .connectionLost)
  }

  @Test(
    "What is not HTTP", arguments: ["220 mail.example.com ESMTP\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{1}\u{2}"])
  func notHTTP(greeting: String) async throws {
    let server = try LoopbackServer { connection in
      connection.send(greeting)
      _ = connection.request()
    }
    #expect(try await kind(server.endpoint) == .protocolViolation)
  }

  @Test("A plain server where TLS is expected") func notTLS() async throws {
    let server = try LoopbackServer { connection in connection.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
    #expect(try await kind("https://127.0.0.1:\(server.port)/") == .tlsFailed)
  }

  @Test("An endless head is cut off") func endlessHead() async throws {
    let server = try LoopbackServer { connection in
      _ = connection.request()
      connection.send("HTTP/1.1 200 OK\r\n")
      for index in 0..<5000 { connection.send("X-\(index): \(String(repeating: "y", count: 100))\r\n") }
    }
    #expect(try await kind(server.endpoint) == .protocolViolation)
  }

  @Test("Silence and a trickle are timeouts") func stalled() async throws {
    var options = CurlTransport.Options()
    options.stallTimeout = .seconds(1)
    let silent = try LoopbackServer { connection in
      _ = connection.request()
      connection.waitForClose()
    }
    #expect(try await kind(silent.endpoint, options: options) == .timedOut)
    let stuck = try LoopbackServer { connection in
      _ = connection.request()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbeginning")
      connection.waitForClose()
    }
    #expect(try await kind(stuck.endpoint, options: options) == .timedOut)
  }

  @Test("Cancelling ends the transfer at once, and its connection") func cancellation() async throws {
    let (arrivals, arrived) = AsyncStream<Void>.makeStream()
    let (closings, closed) = AsyncStream<Void>.makeStream()
    let server = try LoopbackServer { connection in
      _ = connection.request()
      arrived.yield()
      connection.waitForClose()
      closed.yield()
    }
    let transport = CurlTransport()
    let task = Task { try await transport.send(HTTPRequest(method: .get, url: server.endpoint)) { _, _ in } }
    for await _ in arrivals { break }
    task.cancel()
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
    // The server sees it: nothing goes on behind the caller's back.
    for await _ in closings { break }
  }

  @Test("Cancelling at any moment is either too early, in time, or too late") func cancellationRace() async throws {
    let server = try LoopbackServer { connection in
      while connection.request() != nil { connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
    }
    let transport = CurlTransport()
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<200 {
        group.addTask {
          let task = Task { try await transport.send(HTTPRequest(method: .get, url: server.endpoint)) { _, _ in } }
          for _ in 0..<index % 20 { await Task.yield() }
          task.cancel()
          switch await task.result {
          case .success(let head): #expect(head.status == 200)
          case .failure(let error): #expect(error is CancellationError, "\(error)")
          }
        }
      }
    }
    #expect(try await collect(HTTPRequest(method: .get, url: server.endpoint), transport).head.status == 200)
  }

  @Test("Redirects are answers; nothing is sent anywhere else") func redirect() async throws {
    let other = try LoopbackServer { _ in }
    let server = try LoopbackServer { connection in
      _ = connection.request()
      connection.send("HTTP/1.1 307 Temporary\r\nLocation: \(other.endpoint)/\r\nContent-Length: 0\r\n\r\n")
    }
    #expect(try await collect(HTTPRequest(method: .get, url: server.endpoint)).head.status == 307)
    #expect(other.connectionCount == 0)
  }

  @Test("The receiver's error ends the transfer and comes back") func receiverThrows() async throws {
    struct Full: Error {}
    let server = try LoopbackServer { connection in
      _ = connection.request()
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
      for _ in 0..<100 { connection.send([UInt8](repeating: 1, count: 1_000_000)) }
    }
    let taken = Mutex(0)
    await #expect(throws: Full.self) {
      try await CurlTransport().send(HTTPRequest(method: .get, url: server.endpoint)) { _, piece in
        taken.withLock { $0 += piece.count }
        if taken.withLock({ $0 > 200_000 }) { throw Full() }
      }
    }
    #expect(taken.withLock { $0 } < 2_000_000)
  }

  @Test("Unreadable files, unusable URLs and smuggled headers are refused") func refused() async throws {
    let server = try LoopbackServer { connection in _ = connection.request() }
    await #expect(throws: FileError.self) {
      try await CurlTransport().send(
        HTTPRequest(method: .put, url: server.endpoint, body: .file(path: "/no/such/file", size: 1))
      ) { _, _ in }
    }
    let smuggled = HTTPRequest(method: .get, url: server.endpoint, headers: [HTTPHeader("X", "a\r\nHost: evil")])
    #expect(try await kind("", request: smuggled) == .invalidRequest)
    #expect(try await kind("http://[") == .invalidRequest)
    #expect(try await kind("file:///etc/hostname") == .protocolViolation)
  }

  @Test("A server's 503 and broken connections pass, with retries around") func endToEnd() async throws {
    let round = Mutex(0)
    let server = try LoopbackServer { connection in
      while connection.request() != nil {
        let turn = round.withLock {
          $0 += 1; return $0
        }
        if turn == 1 { return connection.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") }
        if turn == 2 { return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe") }
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
      }
    }
    let storage = RetryingStorage(
      S3Storage(try S3Configuration.stub(endpoint: server.endpoint)), policy: RetryPolicy(baseDelay: .zero))
    #expect(try await storage.get("log/a", maximumSize: 5) == [UInt8]("hello".utf8))
    #expect(round.withLock { $0 } == 3)
  }
}
