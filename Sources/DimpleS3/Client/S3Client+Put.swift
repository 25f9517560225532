internal import DimpleRemote

extension S3Client {
  /// Stores `bytes`.
  ///
  /// The server checks them against the signed SHA-256, and its ETag is checked against theirs.
  ///
  /// - Parameter ifAbsent: Asks the server to refuse (`preconditionFailed`) where the key exists. Not all servers honour it; one
  ///   that says so gets the request again without the condition.
  /// - Returns: The object's ETag.
  @discardableResult
  public func put(_ key: String, _ bytes: [UInt8], ifAbsent: Bool = false) async throws -> String {
    try await put(key, .bytes(bytes), PayloadDigest(bytes), ifAbsent: ifAbsent)
  }

  /// Stores a file's bytes. The file must not change meanwhile; it is read twice.
  ///
  /// - Returns: The object's ETag.
  @discardableResult
  public func put(_ key: String, file path: String, ifAbsent: Bool = false) async throws -> String {
    do {
      let digest = try await onFileQueue { try PayloadDigest(ofFile: path) }
      return try await put(key, .file(path: path, size: digest.size), digest, ifAbsent: ifAbsent)
    } catch let error as FileError {
      throw RemoteError(error, operation: "put \(key)")
    }
  }

  private func put(_ key: String, _ body: RequestBody, _ digest: PayloadDigest, ifAbsent: Bool) async throws -> String {
    var call = S3Call("put \(key)", .put, key: key)
    call.body = body
    call.payloadHash = digest.sha256
    if let md5 = digest.contentMD5 { call.headers.append(HTTPHeader("Content-MD5", md5)) }
    if ifAbsent {
      call.headers.append(HTTPHeader("If-None-Match", "*"))
      call.toleratedStatuses = [501]
    }
    let head = try await perform(call) { _, _ in }
    guard head.status != 501 else { return try await put(key, body, digest, ifAbsent: false) }
    guard let etag = head["etag"]?.trimmingQuotes else {
      // Every S3 server sends one; a login page of the network does not.
      throw S3Failure(operation: call.operation, configuration: configuration, head: head, body: []).foreign
    }
    guard !digest.isContradicted(by: head) else {
      throw RemoteError(
        .damaged, operation: call.operation, message: "The server stored other bytes than were sent (ETag \(etag)).",
        hint: "Try again.", isRetryable: true)
    }
    return etag
  }

  /// Removes the object; removing what is not there succeeds.
  public func delete(_ key: String) async throws {
    do {
      _ = try await perform(S3Call("delete \(key)", .delete, key: key)) { _, _ in }
    } catch let error as RemoteError where error.code == .notFound {
      return
    }
  }

  /// Makes the bucket in the configuration's region; that it is one's own already is fine.
  public func createBucket() async throws {
    var call = S3Call("create bucket \(configuration.bucket)", .put, key: nil)
    // Amazon's oldest region must not be named, every other must; services without regions are told of none.
    if !["us-east-1", "auto"].contains(configuration.region) {
      let document = [UInt8](
        """
        <CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>\
        \(configuration.region)</LocationConstraint></CreateBucketConfiguration>
        """.utf8)
      call.body = .bytes(document)
      call.payloadHash = PayloadDigest(document).sha256
    }
    call.toleratedErrors = ["BucketAlreadyOwnedByYou"]
    _ = try await perform(call) { _, _ in }
  }
}
