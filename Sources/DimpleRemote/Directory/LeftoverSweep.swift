internal import DimpleMutex

/// Removes what crashed writers left in the incoming folder.
///
/// Once in a storage's life: leftovers harm nobody, they only take space.
final class LeftoverSweep: Sendable {
  /// No put takes a day.
  static let age: Int64 = 24 * 60 * 60
  private let isDone = Atomic<Bool>(false)

  /// - Parameter newest: A file made just now: its time is the file system's own idea of now, which need not be ours.
  func runOnce(calls: FileCalls, folder: String, newest: String) {
    guard !isDone.exchange(true, ordering: .relaxed) else { return }
    // Failing to tidy up is no failure of the put.
    guard let now = (try? calls.status(newest)).flatMap({ $0 })?.modifiedSeconds,
      let names = (try? calls.names(in: folder)).flatMap({ $0 })
    else { return }
    for name in names {
      let path = "\(folder)/\(name)"
      guard let status = (try? calls.status(path)).flatMap({ $0 }), status.isFile else { continue }
      if now - status.modifiedSeconds > Self.age { _ = try? calls.removeFile(path) }
    }
  }
}
