import DimpleStore
import SQLitePeer
import Samples

extension Track: Entity {}

extension Order: Entity {
  /// Order is a word of SQL's.
  public static var tableName: String { "Orders" }
  /// As its coding key says.
  public static var idColumn: String { "OrderID" }
}

extension Item: Entity {
  /// The first column; the table has no key.
  public static var idColumn: String { "i0" }
  /// The first column.
  public var id: Int { i0 }
}

extension Suite {
  /// The store, against the C library under it and GRDB.
  static var store: Suite {
    Suite(
      name: "store",
      benchmarks: { size in
        let tracks = try Stores<Track>(count: size(100_000))
        return try TrackWriting(tracks, size).all + TrackFetching(tracks).all + PointQueries(tracks, size).all
          + OrderFetching(Stores(count: size(15_889))).all + ItemBenchmarks(Stores(count: size(200_000)), size).all
      }, loads: { size in ConcurrentReading(size: size).all })
  }
}
