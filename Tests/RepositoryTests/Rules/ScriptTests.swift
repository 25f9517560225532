import Testing

/// What a person runs can be run.
enum Scripts {
  static func check(path: String, firstLine: String, isExecutable: Bool) -> [Finding] {
    let isProgram = firstLine.hasPrefix("#!")
    // What lies in a folder of its own is a part of those beside it.
    if path.split(separator: "/").count > 2 {
      return isExecutable ? [Finding(path: path, message: "is a part, yet executable")] : []
    }
    if !isProgram { return [Finding(path: path, line: 1, message: "has no #! line")] }
    return isExecutable ? [] : [Finding(path: path, message: "is not executable")]
  }
}

@Suite("Scripts") struct ScriptTests {
  @Test("A program without its run bit or first line is found, so is a part with a run bit") func findsUnrunnable() {
    #expect(Scripts.check(path: "scripts/a", firstLine: "#!/bin/sh", isExecutable: false).count == 1)
    #expect(Scripts.check(path: "scripts/a", firstLine: "echo", isExecutable: true).count == 1)
    #expect(Scripts.check(path: "scripts/lib/a.sh", firstLine: "# part", isExecutable: true).count == 1)
    #expect(Scripts.check(path: "scripts/a", firstLine: "#!/bin/sh", isExecutable: true).isEmpty)
    #expect(Scripts.check(path: "scripts/lib/a.sh", firstLine: "# part", isExecutable: false).isEmpty)
  }

  @Test("The project's scripts run") func projectScriptsRun() throws {
    let scripts = Repository.files.filter { $0.hasPrefix("scripts/") || $0 == ".ci/run" }
    for name in ["scripts/demo", "scripts/test", "scripts/bench", "scripts/s3-server", ".ci/run"] {
      #expect(scripts.contains(name), "there is no \(name)")
    }
    for path in scripts {
      let firstLine = String(try Repository.text(path).prefix { $0 != "\n" })
      expectNone(Scripts.check(path: path, firstLine: firstLine, isExecutable: Repository.isExecutable(path)))
    }
  }
}
