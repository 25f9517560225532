internal import DimpleDb

/// Prints what a check found: a line each.
struct FindingPrinter {
  let json: Bool

  func print(_ report: HealthReport) {
    for finding in report.findings { Console.print(json ? Self.object(finding) : "\(finding)") }
    if report.findingCount > report.findings.count {
      Console.warn("\(report.findingCount - report.findings.count) further findings are not listed")
    }
  }

  private static func object(_ finding: HealthFinding) -> String {
    var writer = JSONWriter()
    let members = [
      ("finding", "\(finding.code)"), ("subject", finding.subject), ("message", finding.message),
      ("remedy", finding.remedy.rawValue),
    ]
    writer.list(members, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, member in
      writer.string(member.0)
      writer.raw(":")
      writer.string(member.1)
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
