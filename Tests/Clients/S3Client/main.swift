import DimpleS3

// The example of a presigned URL in the S3 API Reference, "Authenticating Requests: Using Query Parameters".
let configuration = try S3Configuration(
  endpoint: "https://s3.amazonaws.com", bucket: "examplebucket", region: "us-east-1",
  accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", addressing: .virtualHost)
let client = S3Client(configuration, transport: CurlTransport(), now: { 1_369_353_600_000 })
let url = try client.presignedURL(getting: "test.txt", expiresIn: .seconds(86400))
precondition(url.hasPrefix("https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&"))
precondition(
  url.hasSuffix("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"), url)
print("ok")
