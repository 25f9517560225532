import DimpleMutex
import Foundation
import Testing

/// A server on the loopback interface that misbehaves as told: each connection is handed to a script.
final class LoopbackServer: Sendable {
  /// One accepted connection; its calls block.
  struct Connection: Sendable {
    fileprivate let descriptor: Int32

    /// One request's head and body, or `nil` when the other side closed first.
    func request() -> (head: String, body: [UInt8])? {
      var bytes: [UInt8] = []
      while true {
        if let end = bytes.firstRange(of: [13, 10, 13, 10]) {
          let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
          let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
          var body = Array(bytes[end.upperBound...])
          if head.lowercased().contains("expect: 100-continue") { send("HTTP/1.1 100 Continue\r\n\r\n") }
          while body.count < length ?? 0 {
            guard let more = receive() else { return nil }
            body += more
          }
          return (head, body)
        }
        guard let more = receive() else { return nil }
        bytes += more
      }
    }

    func send(_ text: String) { send([UInt8](text.utf8)) }

    func send(_ bytes: [UInt8]) {
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
      }
    }

    /// Waits until the other side closes.
    func waitForClose() { while receive() != nil {} }

    /// Bytes as they come; `nil` at the end.
    private func receive() -> [UInt8]? {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return count > 0 ? Array(buffer.prefix(count)) : nil
    }
  }

  private let listener: Int32
  let port: UInt16
  private let accepted = Mutex(0)

  /// How many connections were made so far.
  var connectionCount: Int { accepted.withLock { $0 } }
  var endpoint: String { "http://127.0.0.1:\(port)" }

  /// - Parameter script: What to do with a connection; it is closed when the script ends.
  init(_ script: @escaping @Sendable (Connection) -> Void) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    try #require(isBound && listen(listener, 64) == 0, "no port on the loopback interface")
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { return }
        self?.accepted.withLock { $0 += 1 }
        Thread.detachNewThread {
          script(Connection(descriptor: descriptor))
          close(descriptor)
        }
      }
    }
  }

  deinit {
    // Wakes the thread that accepts; closing alone does not.
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }
}
