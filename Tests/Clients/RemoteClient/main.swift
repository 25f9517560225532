import DimpleRemote

let storage = RetryingStorage(MemoryStorage())
try await storage.put("greeting", [UInt8]("ok".utf8))
print(String(decoding: try await storage.get("greeting", maximumSize: 2), as: UTF8.self))
