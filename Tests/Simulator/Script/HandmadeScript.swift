/// Scripts in which one sync does all that a sync can do, for tests that interrupt it everywhere.
package enum HandmadeScript {
  /// Three devices; the first has eight packs in the bucket, and two of others to take in. Its next sync lists, gets,
  /// merges, puts, joins its packs and deletes them. Then it goes on writing, and all sync.
  package static func everything(_ plan: Script.SyncPlan) -> Script {
    var steps: [Script.Step] = []
    func write(_ device: Int, _ statements: String...) {
      steps.append(
        Script.Step(device: device, action: .write(Script.Transaction(statements: statements, ending: .strict))))
    }
    func sync(_ device: Int, _ plan: Script.SyncPlan = .peaceful) {
      steps.append(Script.Step(device: device, action: .sync(plan)))
    }
    for number in 1...8 {
      write(0, "INSERT INTO Artist (id, name) VALUES (\(number), 'Artist \(number)')")
      sync(0)
    }
    write(1, "INSERT INTO Artist (id, name) VALUES (20, 'ARTIST 2'), (21, 'Nina')")
    write(1, "INSERT INTO Album (id, title, artist) VALUES ('a1', 'T1', 21)", "DELETE FROM Artist WHERE id = 20")
    // It needs pages of its own.
    write(1, "INSERT INTO Album (id, title) VALUES ('a2', hex(zeroblob(3000)))")
    sync(1)
    write(2, "INSERT INTO Node VALUES ('n1', NULL, 1)", "INSERT INTO Node VALUES ('n2', 'n1', 2)")
    write(2, "UPDATE Node SET code = 3 WHERE id = 'n1'")
    sync(2)
    write(0, "UPDATE Artist SET name = 'nina' WHERE id = 3", "INSERT INTO Node VALUES ('n1', NULL, 2)")
    sync(0, plan)
    write(0, "UPDATE Artist SET country = 'FR' WHERE id = 1")
    for device in 0...2 { sync(device) }
    return Script(
      seed: 1, schema: .classic, settings: Script.Settings(), versions: [3, 3, 3], steps: steps)
  }
}
