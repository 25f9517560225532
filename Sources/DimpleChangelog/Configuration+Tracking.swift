public import DimpleStore

extension Configuration {
  /// This configuration with change tracking: what `Database.open` opens with.
  ///
  /// - Parameter options: What to track, by which clock. One changelog serves one database: call this for each.
  public func tracking(_ options: Changelog.Options = Changelog.Options()) -> Configuration {
    var configuration = self
    configuration.extensions.append(Changelog(options))
    return configuration
  }
}
