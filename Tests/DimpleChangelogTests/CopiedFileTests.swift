import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@testable import struct DimpleChangelog.FileIdentity

@Suite("A copied database file")
struct CopiedFileTests {
  private static let schema = "CREATE TABLE T(id INTEGER PRIMARY KEY, a)"
  private let file: TemporaryFile
  private let replica: ReplicaID

  init() throws {
    file = try TemporaryFile()
    let t = try TrackedDatabase(Self.schema, path: file.path)
    try t.script("INSERT INTO T VALUES (1, 'a')")
    replica = try t.changelog.replicaID
    try t.database.close()
  }

  private var copy: String { file.path + ".copy" }

  @Test("Is another replica from its opening on, and the original the same as ever")
  func copied() throws {
    try FileManager.default.copyItem(atPath: file.path, toPath: copy)
    let (first, second) = (try TrackedDatabase(path: file.path), try TrackedDatabase(path: copy))
    #expect(try first.changelog.replicaID == replica)
    let new = try second.changelog.replicaID
    #expect(new != replica)
    for t in [first, second] { try t.script("INSERT INTO T VALUES (2, 'b')") }
    let ids = try Set((first.changes(after: 1) + second.changes(after: 1)).map(\.stamp.uuid))
    #expect(ids.count == 2)
    // And stays that one.
    try second.database.close()
    #expect(try TrackedDatabase(path: copy).changelog.replicaID == new)
  }

  @Test("Renamed, linked or moved, it is the file it was")
  func renamed() throws {
    let folder = file.path + ".folder"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.moveItem(atPath: file.path, toPath: folder + "/other.db")
    try FileManager.default.createSymbolicLink(atPath: folder + "/link.db", withDestinationPath: "other.db")
    for name in ["/other.db", "/link.db"] {
      let t = try TrackedDatabase(path: folder + name)
      #expect(try t.changelog.replicaID == replica)
      try t.database.vacuum()
      try t.database.close()
    }
    #expect(try TrackedDatabase(path: folder + "/other.db").changelog.replicaID == replica)
  }

  @Test("A migration that is the first to write to it writes as another replica")
  func migrated() throws {
    try FileManager.default.copyItem(atPath: file.path, toPath: copy)
    let migration = Migration("fill", "INSERT INTO T VALUES (7, 'by a migration')")
    let database = try Database(copy, configuration: Configuration().tracking(), migrations: [migration])
    let changes = try database.changelog?.changes(after: 1) ?? []
    let change = try #require(changes.first)
    #expect(change.key == [.integer(7)] && change.stamp.replica != replica)
  }

  @Test("A backup put in the original's place is another replica", arguments: [false, true])
  func restored(inPlaceOfADeletedFile: Bool) throws {
    let t = try TrackedDatabase(path: file.path)
    try t.database.backup(to: copy)
    try t.script("INSERT INTO T VALUES (2, 'lost')")
    let lost = try #require(try t.changes().last?.stamp)
    try t.database.close()
    if inPlaceOfADeletedFile {
      try FileManager.default.removeItem(atPath: file.path)
      try FileManager.default.copyItem(atPath: copy, toPath: file.path)
    } else {
      #expect(rename(copy, file.path) == 0)
    }
    let again = try TrackedDatabase(path: file.path)
    try again.script("INSERT INTO T VALUES (2, 'again')")
    let stamp = try #require(try again.changes().last?.stamp)
    #expect(stamp.replica != replica && stamp.uuid != lost.uuid)
  }

  @Test("One in memory is a copy, too, and so is what is written out of memory")
  func inMemory() throws {
    let memory = try TrackedDatabase(Self.schema)
    try memory.script("INSERT INTO T VALUES (1, 'a')")
    let before = try memory.changelog.replicaID
    try memory.database.backup(to: copy)
    #expect(try TrackedDatabase(path: copy).changelog.replicaID != before)
    try memory.script("INSERT INTO T VALUES (2, 'a')")
    #expect(try memory.changelog.replicaID == before)
  }

  @Test("A rolled back first transaction leaves the finding to the next")
  func rolledBack() throws {
    let t = try TrackedDatabase(path: file.path)
    try t.database.close()
    try FileManager.default.copyItem(atPath: file.path, toPath: copy)
    let database = try Database(copy, configuration: Configuration().tracking(.init()))
    #expect(throws: Stop.self) {
      try database.write { connection in
        try connection.execute("INSERT INTO T VALUES (3, 'c')")
        throw Stop()
      }
    }
    try database.execute("INSERT INTO T VALUES (4, 'd')")
    let changes = try database.changelog?.changes(after: 1) ?? []
    #expect(changes.count == 1 && changes[0].stamp.replica != replica)
    #expect(database.changelog?.replicaID == changes[0].stamp.replica)
  }

  /// As `cp backup original` does: the file is the same, its contents are those of the backup.
  @Test("A backup that is written over its original takes a name of its own", arguments: [true, false])
  func backupInPlace(isVacuumed: Bool) throws {
    let t = try TrackedDatabase(path: file.path)
    if isVacuumed { try t.database.vacuum(into: copy) } else { try t.database.backup(to: copy) }
    // The original goes on as it was.
    try t.database.execute("INSERT INTO T VALUES (3, 'lost')")
    #expect(try t.changelog.replicaID == replica)
    try t.database.close()
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file.path))
    try handle.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: copy)))
    try handle.truncate(atOffset: handle.offset())
    try handle.close()

    let restored = try TrackedDatabase(path: file.path)
    let name = try restored.changelog.replicaID
    #expect(name != replica)
    try restored.database.execute("INSERT INTO T VALUES (3, 'new')")
    let stamps = try restored.changelog.changes().map(\.stamp.replica)
    #expect(stamps.last == name && stamps.dropLast().allSatisfy { $0 == replica })
    try restored.database.close()
    #expect(try TrackedDatabase(path: file.path).changelog.replicaID == name)
  }

  @Test("Read only, or not to be found, it is left alone")
  func leftAlone() throws {
    try FileManager.default.copyItem(atPath: file.path, toPath: copy)
    var configuration = Configuration().tracking()
    configuration.isReadOnly = true
    let reading = try Database(copy, configuration: configuration)
    #expect(reading.changelog?.replicaID == replica)
    try reading.close()
    #expect(try TrackedDatabase(path: copy, detectsCopies: false).changelog.replicaID == replica)
  }

  @Test("A file is told from another by its number, its birth, and the machine where that is known")
  func identity() throws {
    let one = FileIdentity(number: 1, birth: 2, machine: 3)
    #expect(one.isSame(as: one))
    #expect(FileIdentity(text: one.text) == one)
    #expect(!one.isSame(as: FileIdentity(number: 2, birth: 2, machine: 3)))
    #expect(!one.isSame(as: FileIdentity(number: 1, birth: 3, machine: 3)))
    #expect(!one.isSame(as: FileIdentity(number: 1, birth: 2, machine: 4)))
    #expect(one.isSame(as: FileIdentity(number: 1, birth: 2, machine: 0)))
    for text in ["", "1 2", "1 2 x", "1 2 3 4", "memory 5"] { #expect(FileIdentity(text: text) == nil) }
    let real = try #require(FileIdentity(path: file.path))
    #expect(real.birth > 0, "no birth time: a copy that takes a deleted file's number is not found")
    #expect(FileIdentity(path: file.path + ".missing") == nil)
  }
}
