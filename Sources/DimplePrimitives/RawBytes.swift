/// Bytes that lie in one piece: `[UInt8]`, its slices.
package protocol RawBytes {
  /// Runs `body` over the bytes; the pointer is valid only inside.
  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
}

extension Array: RawBytes where Element == UInt8 {}
extension ArraySlice: RawBytes where Element == UInt8 {}
