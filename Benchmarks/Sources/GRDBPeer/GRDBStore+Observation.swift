import Dispatch
import GRDB
import Samples

extension GRDBStore {
  /// An observation per key, as an app would start them; `receive` gets milliseconds and key.
  package func observe(keys: [Int64], receive: @escaping @Sendable (Int, Int64) -> Void) -> GRDBObservations {
    GRDBObservations(
      running: keys.map { key in
        ValueObservation.trackingConstantRegion { try Track.fetchOne($0, key: key) }.removeDuplicates()
          .start(in: pool, scheduling: .async(onQueue: .global())) { _ in
          } onChange: { track in
            receive(track?.milliseconds ?? 0, key)
          }
      })
  }
}

/// Observations that end with this value.
package struct GRDBObservations { let running: [AnyDatabaseCancellable] }
