internal import DimplePrimitives

/// The two hashes that go with an upload, so that the server, and we by its ETag, notice a changed byte.
struct PayloadDigest {
  /// Lowercase hexadecimal; signed.
  let sha256: String
  /// `nil` where libcrypto refuses MD5 (FIPS mode).
  let md5: [UInt8]?
  /// Of what was hashed, in bytes.
  let size: Int64

  /// Of nothing.
  static let empty = PayloadDigest([])

  init(_ bytes: [UInt8]) {
    let md5 = MD5()
    bytes.withUnsafeBytes { md5?.update($0) }
    sha256 = Hex.encode(SHA256.hash(bytes))
    self.md5 = md5?.finish()
    size = Int64(bytes.count)
  }

  /// Reads a whole file; blocks.
  init(ofFile path: String) throws(FileError) {
    let file = try File(reading: path)
    var sha256 = SHA256()
    let md5 = MD5()
    var size: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(into: buffer)
      if count == 0 { break }
      let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      sha256.update(piece)
      md5?.update(piece)
      size += Int64(count)
    }
    self.sha256 = Hex.encode(sha256.finalize())
    self.md5 = md5?.finish()
    self.size = size
  }

  /// The value of `Content-MD5`.
  var contentMD5: String? { md5.map { Base64.encode($0, padded: true) } }

  /// Whether the server stored other bytes than these, judging by the ETag of its answer.
  ///
  /// Servers are free to use other ETags than the MD5: with a key service's encryption, or in parts, they do, and say so.
  func isContradicted(by head: HTTPResponseHead) -> Bool {
    guard let md5, let etag = head["etag"]?.trimmingQuotes, let stored = Hex.decode(etag), stored.count == MD5.byteCount
    else { return false }
    let encryption = head["x-amz-server-side-encryption"] ?? "AES256"
    guard encryption == "AES256", head["x-amz-server-side-encryption-customer-algorithm"] == nil else { return false }
    return stored != md5
  }
}
