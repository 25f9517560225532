internal import DimpleRemote

extension RemoteError {
  /// What a request without an answer means to the caller of a storage.
  init(_ error: HTTPTransportError, operation: String, configuration: S3Configuration) {
    let place = "\(configuration.location.scheme)://\(configuration.host)"
    let (code, hint, isRetryable): (Code, String, Bool?) =
      switch error.kind {
      case .nameNotResolved:
        (.unreachable, "Check the endpoint \(place) and the network.", nil)
      case .connectionFailed:
        (.unreachable, "Check that a server listens at \(place), and the network.", nil)
      case .tlsFailed:
        (.unreachable, "Check the certificate of \(place) and the device's clock.", false)
      case .timedOut:
        (.timedOut, "Try again on a better connection.", nil)
      case .connectionLost:
        (.unreachable, "The connection broke; try again.", nil)
      case .protocolViolation:
        (.invalidConfiguration, "What answers at \(place) does not speak HTTP; check the endpoint and its port.", nil)
      case .bodyUnreadable:
        (.ioFailed, "The file could not be read while it was sent.", nil)
      case .invalidRequest:
        (.invalidConfiguration, "Check the endpoint \(place).", nil)
      }
    self.init(
      code, operation: operation, message: error.message, hint: hint, isRetryable: isRetryable, underlying: error)
  }

  /// What a local file's failure means.
  init(_ error: FileError, operation: String) {
    let hint =
      if error.isOutOfSpace {
        "Free space on this device."
      } else if error.isMissing {
        "Check the path."
      } else if error.isForbidden {
        "Check the file's permissions."
      } else {
        "Check the disk."
      }
    self.init(.ioFailed, operation: operation, message: "\(error)", hint: hint, underlying: error)
  }
}
