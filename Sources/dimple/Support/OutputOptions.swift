internal import ArgumentParser

/// `--json`, shared by the commands that print results.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object a line, for programs.")
  var json = false
}
