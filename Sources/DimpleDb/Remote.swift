public import DimpleRemote
public import DimpleS3

/// Where devices meet: a bucket, a folder, or memory.
public struct Remote: Sendable {
  private let make: @Sendable () throws -> any ObjectStorage

  /// A prefix of a bucket of any S3-compatible service. What fails in passing is tried again, up to a minute: see
  /// `RetryingStorage`.
  ///
  /// - Parameters:
  ///   - endpoint: `https://s3.eu-central-1.amazonaws.com`, `https://<account>.r2.cloudflarestorage.com`, …
  ///   - bucket: Must exist.
  ///   - prefix: Comes before every key, so that several vaults share a bucket.
  ///   - region: `us-east-1`, `auto`, …
  ///   - accessKey: As whom: the public half of the service's credentials, `AKIA…`. It must be allowed to list the bucket, and to
  ///     read, write and delete its objects.
  ///   - secretKey: The secret half.
  ///   - sessionToken: For temporary credentials.
  ///   - addressing: How requests name the bucket: in the path, or, as some services require, in the host name.
  public static func s3(
    endpoint: String, bucket: String, prefix: String = "", region: String, accessKey: String, secretKey: String,
    sessionToken: String? = nil, addressing: S3Configuration.Addressing = .path
  ) -> Remote {
    Remote {
      let configuration = try S3Configuration(
        endpoint: endpoint, bucket: bucket, region: region, accessKey: accessKey, secretKey: secretKey,
        sessionToken: sessionToken, prefix: prefix, addressing: addressing)
      return RetryingStorage(S3Storage(configuration))
    }
  }

  /// A folder: on a shared disk, a stick, or kept in step by another program. What fails is not tried again; background sync
  /// does.
  public static func directory(_ path: String) -> Remote {
    Remote { try DirectoryStorage(path) }
  }

  /// Memory shared by all that hold this value: for tests and previews.
  public static var memory: Remote { custom(MemoryStorage()) }

  /// A storage of one's own; docs/STORAGE_BACKENDS.md says what it must do. It is used as it is: wrap it in a `RetryingStorage`
  /// where what fails may pass.
  public static func custom(_ storage: any ObjectStorage) -> Remote {
    Remote { storage }
  }

  /// The storage behind it.
  ///
  /// - Throws: `RemoteError` for an endpoint, bucket or path that cannot work.
  public func storage() throws -> any ObjectStorage { try make() }
}
