import DimpleChangelog
import DimpleMutex
import DimpleStore
import DimpleTestSupport

/// Databases as the versions of the app make them, before anybody wrote: each device begins with a copy of one, as to migrate
/// costs more than most of what happens in a run.
final class Templates {
  private let script: Script
  private let folder: TemporaryFolder
  private var paths: [Int: String] = [:]

  init(_ script: Script, _ folder: TemporaryFolder) {
    self.script = script
    self.folder = folder
  }

  /// The file of a version.
  func path(version: Int) throws -> String {
    if let path = paths[version] { return path }
    var tracking = Changelog.Options()
    tracking.detectsCopies = false
    tracking.updateRevives = script.schema.reviving(in: version)
    let random = Mutex(SeededRandom(seed: script.seed &+ 5))
    tracking.random = { random.withLock { $0.next() } }
    var configuration = Configuration()
    configuration.extensions = [Changelog(tracking)]
    let database = try Database.inMemory(
      configuration: configuration, migrations: script.schema.migrations(upTo: version))
    let path = folder.path("version\(version).db")
    try database.backup(to: path)
    try database.close()
    paths[version] = path
    return path
  }
}
