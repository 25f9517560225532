/// What a server says of an object.
public struct S3Object: Sendable, Hashable {
  /// The full key.
  public var key: String
  /// In bytes.
  public var size: Int64
  /// Without quotes; often, but not always, the MD5 of the bytes.
  public var etag: String?
  /// As the server writes it: ISO 8601 in listings, an HTTP date otherwise.
  public var lastModified: String?

  /// What a server says of an object.
  public init(key: String, size: Int64, etag: String? = nil, lastModified: String? = nil) {
    self.key = key
    self.size = size
    self.etag = etag
    self.lastModified = lastModified
  }
}

/// One page of a bucket's listing.
public struct S3ListPage: Sendable, Hashable {
  /// In the server's order: ascending by the bytes of their keys, except in directory buckets.
  public var objects: [S3Object]
  /// What asks for the next page; `nil` on the last.
  public var continuationToken: String?
  /// The server's clock when it answered, in milliseconds since 1970.
  public var serverTimeMilliseconds: Int64?

  /// A page of a listing.
  public init(objects: [S3Object], continuationToken: String? = nil, serverTimeMilliseconds: Int64? = nil) {
    self.objects = objects
    self.continuationToken = continuationToken
    self.serverTimeMilliseconds = serverTimeMilliseconds
  }
}

extension S3ListPage {
  /// Reads the answer to ListObjectsV2.
  ///
  /// - Throws: ``S3ListFailure`` for anything else, a key outside `prefix` included.
  init(parsing document: [UInt8], prefix: String, serverTimeMilliseconds: Int64?) throws(S3ListFailure) {
    let root: XMLElement
    do { root = try XMLParser.parse(document) } catch { throw .notXML("\(error)") }
    guard root.name == "ListBucketResult" else { throw .foreign(root.name) }
    let isEncoded = root["EncodingType"]?.text.lowercased() == "url"
    var objects: [S3Object] = []
    for element in root.all("Contents") {
      guard let text = element["Key"]?.text, let key = isEncoded ? PercentEncoding.decodeForm(text) : text,
        let size = (element["Size"]?.text.trimmingWhitespace).flatMap({ Int64($0) }), size >= 0
      else { throw .malformed("an object without key or size") }
      guard key.utf8.starts(with: prefix.utf8) else { throw .malformed("an object that was not asked for") }
      let etag = element["ETag"]?.text.trimmingQuotes
      objects.append(S3Object(key: key, size: size, etag: etag, lastModified: element["LastModified"]?.text))
    }
    var token: String?
    if root["IsTruncated"]?.text.trimmingWhitespace.lowercased() == "true" {
      token = root["NextContinuationToken"]?.text
      guard token?.isEmpty == false else { throw .malformed("more pages, but no token for the next") }
    }
    self.init(objects: objects, continuationToken: token, serverTimeMilliseconds: serverTimeMilliseconds)
  }
}

/// Why an answer is no listing.
enum S3ListFailure: Error, Equatable {
  case notXML(String)
  /// Another document; its root's name.
  case foreign(String)
  case malformed(String)
}

extension String {
  /// Without one pair of quotes around.
  var trimmingQuotes: String {
    count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self
  }
}
