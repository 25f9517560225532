internal import DimpleRemote

extension S3Client {
  /// A URL that lets whoever holds it get the object until it expires. Made without the network; treat it as a secret.
  ///
  /// - Parameter expiresIn: One second to seven days, in whole seconds.
  public func presignedURL(getting key: String, expiresIn: Duration) throws -> String {
    try presignedURL("GET", key, expiresIn)
  }

  /// A URL that lets whoever holds it write the object until it expires, by an HTTP `PUT` of any bytes. Made without the
  /// network; treat it as a secret.
  ///
  /// - Parameter expiresIn: One second to seven days, in whole seconds.
  public func presignedURL(putting key: String, expiresIn: Duration) throws -> String {
    try presignedURL("PUT", key, expiresIn)
  }

  private func presignedURL(_ method: String, _ key: String, _ expiresIn: Duration) throws -> String {
    let seconds = expiresIn.components.seconds
    guard (1...604_800).contains(seconds) else {
      throw RemoteError(
        .invalidConfiguration, operation: "presign \(key)", message: "A URL cannot be good for \(seconds) seconds.",
        hint: "Use one second to seven days.")
    }
    let request = RequestSigner.Request(
      method: method, path: configuration.path(key), query: [], headers: [HTTPHeader("Host", configuration.host)],
      payloadHash: RequestSigner.unsignedPayload)
    let query = signer.presign(request, atMilliseconds: now, expiresInSeconds: Int(seconds)).query
    return configuration.url(key, query: query)
  }
}
