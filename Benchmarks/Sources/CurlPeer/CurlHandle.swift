import CCurl

/// Objects over libcurl alone, by URLs signed beforehand: one handle, one connection, no checks and no retries.
public final class CurlHandle {
  /// libcurl could not, or the server would not.
  public struct Failed: Error {
    /// A `CURLcode`.
    public var code: Int
  }

  private let easy: UnsafeMutableRawPointer

  /// `nil` if libcurl has no memory.
  public init?() {
    guard let easy = curl_easy_init() else { return nil }
    self.easy = easy
    _ = ccurl_setopt_long(easy, CURLOPT_FAILONERROR, 1)
  }

  deinit { curl_easy_cleanup(easy) }

  /// Writes an object.
  public func put(_ url: String, _ bytes: [UInt8]) throws {
    var upload = Upload(bytes: bytes)
    try withUnsafeMutablePointer(to: &upload) { upload in
      _ = ccurl_setopt_long(easy, CURLOPT_UPLOAD, 1)
      _ = ccurl_setopt_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes.count))
      _ = ccurl_setopt_pointer(easy, CURLOPT_READDATA, upload)
      _ = ccurl_setopt_data(easy, CURLOPT_READFUNCTION) { target, size, count, context in
        guard let target, let context else { return 0 }
        return context.assumingMemoryBound(to: Upload.self).pointee.copy(to: target, size * count)
      }
      _ = try perform(url)
    }
  }

  /// Reads an object.
  public func get(_ url: String) throws -> [UInt8] {
    _ = ccurl_setopt_long(easy, CURLOPT_HTTPGET, 1)
    return try perform(url)
  }

  private func perform(_ url: String) throws -> [UInt8] {
    var body: [UInt8] = []
    let result = withUnsafeMutablePointer(to: &body) { body in
      _ = ccurl_setopt_string(easy, CURLOPT_URL, url)
      _ = ccurl_setopt_pointer(easy, CURLOPT_WRITEDATA, body)
      _ = ccurl_setopt_data(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
        guard let data, let context else { return 0 }
        context.assumingMemoryBound(to: [UInt8].self).pointee
          .append(contentsOf: UnsafeRawBufferPointer(start: data, count: size * count))
        return size * count
      }
      return curl_easy_perform(easy)
    }
    guard result == CURLE_OK else { throw Failed(code: Int(result.rawValue)) }
    return body
  }
}

/// What is left to send.
private struct Upload {
  var bytes: [UInt8]
  var position = 0

  mutating func copy(to target: UnsafeMutablePointer<CChar>, _ capacity: Int) -> Int {
    let count = min(capacity, bytes.count - position)
    bytes.withUnsafeBytes {
      UnsafeMutableRawPointer(target).copyMemory(from: $0.baseAddress! + position, byteCount: count)
    }
    position += count
    return count
  }
}
