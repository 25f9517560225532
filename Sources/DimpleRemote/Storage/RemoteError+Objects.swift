/// The failures that every backend has in common, so that they read alike; for authors of backends.
extension RemoteError {
  /// ``Code/notFound`` for a get.
  public static func noSuchObject(_ key: String) -> RemoteError {
    RemoteError(.notFound, operation: "get \(key)", message: "There is no such object.", hint: "List again.")
  }

  /// ``Code/tooLarge`` for a get; sizes in bytes, the object's own where it is known.
  public static func objectTooLarge(_ key: String, size: Int64?, maximumSize: Int) -> RemoteError {
    let size = size.map { "has \($0) bytes" } ?? "is longer than that"
    return RemoteError(
      .tooLarge, operation: "get \(key)", message: "At most \(maximumSize) bytes are taken, and the object \(size).",
      hint: "Raise the limit if the object is to be trusted.")
  }

  /// ``Code/endlessListing``.
  static func endlessListing(_ prefix: String) -> RemoteError {
    RemoteError(
      .endlessListing, operation: prefix.isEmpty ? "list" : "list \(prefix)", message: "The listing does not end.",
      hint: "The storage is faulty or hostile, or something else fills the prefix with objects.")
  }

  /// ``Code/preconditionFailed`` for a put with ``PutCondition/ifAbsent``.
  public static func objectExists(_ key: String) -> RemoteError {
    RemoteError(
      .preconditionFailed, operation: "put \(key)", message: "An object has this key already.",
      hint: "Get it, or put without the condition.")
  }
}
