import DimpleRemote

let storage = MemoryStorage()
try await storage.put("greeting", Array("ok".utf8))
print(String(decoding: try await storage.get("greeting", maximumSize: 100), as: UTF8.self))
