internal import DimplePrimitives

/// Decrypts a file piece by piece, in constant memory: feed it with ``update(_:into:)``, end with ``finish(into:)``.
///
/// What it releases is authentic at once, but only ``finish(into:)`` tells that it was all: until it returns, take the output for
/// the beginning of a file. After an error every further call throws the same error. Not for use from several tasks at
/// once.
public final class AgeDecryptor {
  private enum State {
    /// Transitions: to payload.
    case header(AgeHeaderReader)
    /// Transitions: to finished.
    case payload(PayloadOpener)
    case finished
    /// From any state, by any error.
    case failed(any Error)
  }

  private enum Form {
    /// The first byte decides. Transitions: to binary or text.
    case unknown
    case binary
    case text(ArmorDecoder)
  }

  private let identities: [any AgeIdentity]
  private var form: Form
  private var state = State.header(AgeHeaderReader())

  /// Prepares to decrypt; the identities are asked when the header is complete.
  ///
  /// - Parameters:
  ///   - identities: Tried in order until one opens the file.
  ///   - armored: Whether the file is text; `nil` looks at its first byte.
  public init(with identities: [any AgeIdentity], armored: Bool? = nil) {
    self.identities = identities
    form =
      switch armored {
      case true?: .text(ArmorDecoder())
      case false?: .binary
      case nil: .unknown
      }
  }

  /// Takes a piece of the file of any length and appends the plaintext that it authenticates to `output`.
  ///
  /// When it throws, what was appended before is authentic still.
  /// - Throws: ``AgeError``; what the identities throw.
  public func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    guard let first = bytes.first else { return }
    if case .unknown = form {
      form = first == UInt8(ascii: "-") || Armor.isWhitespace(first) ? .text(ArmorDecoder()) : .binary
    }
    try failingForGood {
      guard case .text(var armor) = form else { return try decrypt(bytes, into: &output) }
      form = .binary  // leaves `armor` the only owner of its line
      var binary: [UInt8] = []
      let outcome = Result { try armor.update(bytes, into: &binary) }
      form = .text(armor)
      try binary.withUnsafeBytes { try decrypt($0, into: &output) }
      try outcome.get()
    }
  }

  /// Takes a piece of the file; returns the plaintext that it authenticates. See ``update(_:into:)``, which also gives the
  /// plaintext before an error.
  public func update(_ bytes: [UInt8]) throws -> [UInt8] {
    var output: [UInt8] = []
    try bytes.withUnsafeBytes { try update($0, into: &output) }
    return output
  }

  /// The file has ended: appends the last of the plaintext to `output`.
  ///
  /// - Throws: ``AgeError/Code/payloadTruncated`` and other ``AgeError``s when that was not the whole file.
  public func finish(into output: inout [UInt8]) throws {
    try failingForGood {
      if case .text(var armor) = form {
        var binary: [UInt8] = []
        try armor.finish(into: &binary)
        try binary.withUnsafeBytes { try decrypt($0, into: &output) }
      }
      switch state {
      case .header: throw AgeError.malformedHeader("the file ends inside its header")
      case .payload(var opener): try opener.finish(into: &output)
      case .finished: throw Self.alreadyFinished
      case .failed(let error): throw error
      }
      state = .finished
    }
  }

  /// Returns the last of the plaintext. See ``finish(into:)``.
  public func finish() throws -> [UInt8] {
    var output: [UInt8] = []
    try finish(into: &output)
    return output
  }

  private func decrypt(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws {
    switch state {
    case .header(var reader):
      state = .finished  // leaves `reader` the only owner of its text
      let (count, header) = try reader.consume(bytes)
      guard let header else {
        state = .header(reader)
        return
      }
      state = .payload(PayloadOpener(fileKey: try unwrapFileKey(of: header)))
      try decrypt(UnsafeRawBufferPointer(rebasing: bytes[count...]), into: &output)
    case .payload(var opener):
      state = .finished  // leaves `opener` the only owner of its buffer
      defer { state = .payload(opener) }
      try opener.update(bytes, into: &output)
    case .finished: throw Self.alreadyFinished
    case .failed(let error): throw error
    }
  }

  private func unwrapFileKey(of header: AgeHeader) throws -> [UInt8] {
    for identity in identities {
      guard let fileKey = try identity.unwrap(header.stanzas) else { continue }
      let mac = try FileKey.headerMAC(header.authenticatedText, fileKey: fileKey)
      guard fileKey.count == FileKey.byteCount, ConstantTime.areEqual(mac, header.mac) else {
        throw AgeError(
          .headerAuthenticationFailed, operation: "decrypt", message: "the header was altered after the file was made",
          hint: "Fetch the file again.")
      }
      return fileKey
    }
    let isByPassphrase = header.stanzas.contains { $0.type == AgeHeader.scryptType }
    guard !isByPassphrase || !identities.contains(where: { $0 is ScryptIdentity }) else {
      throw AgeError(
        .wrongPassphrase, operation: "decrypt", message: "the passphrase is not the one the file was encrypted with",
        hint: "Check it, capitals and spaces included.")
    }
    throw AgeError(
      .noMatchingIdentity, operation: "decrypt", message: "none of the identities opens the file",
      hint: isByPassphrase ? "It wants a passphrase." : "It was encrypted to other recipients.")
  }

  private func failingForGood(_ body: () throws -> Void) throws {
    if case .failed(let error) = state { throw error }
    do {
      do { try body() } catch let error as PrimitiveError { throw AgeError.unavailable("decrypt", error) }
    } catch {
      state = .failed(error)
      throw error
    }
  }

  private static var alreadyFinished: AgeError {
    AgeError(.finished, operation: "decrypt", message: "the file was already finished")
  }
}
