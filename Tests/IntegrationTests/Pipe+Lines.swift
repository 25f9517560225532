import Foundation

extension Pipe {
  /// Hands over what a process writes, line by line as it comes, from a queue of its own; then calls `atEnd`.
  func forEachLine(_ body: @escaping @Sendable (String) -> Void, atEnd: @escaping @Sendable () -> Void) {
    let buffer = LineBuffer(body)
    fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty {
        handle.readabilityHandler = nil
        atEnd()
      } else {
        buffer.append(data)
      }
    }
  }
}

/// Cuts a stream of bytes into lines.
private final class LineBuffer: @unchecked Sendable {  // its one reader calls it serially
  private var rest = Data()
  private let yield: (String) -> Void

  init(_ yield: @escaping (String) -> Void) { self.yield = yield }

  func append(_ data: Data) {
    rest.append(data)
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
      rest = Data(rest[rest.index(after: end)...])
    }
  }
}
