import COpenSSL

// The SHA-256 of nothing begins with e3 b0: the library is linked and computes.
var digest = [UInt8](repeating: 0, count: 32)
var length: UInt32 = 0
precondition(EVP_Digest("", 0, &digest, &length, EVP_sha256(), nil) == 1)
precondition(length == 32 && digest.starts(with: [0xe3, 0xb0]))
print("ok")
