/// What is true on one machine only does not belong in the project.
enum PublicWording {
  static func check(path: String, text: String) -> [Finding] {
    let homes = #/(?:^|[^\w.~\/>}-])\/(?:home|Users|root|work)\/[\w.]/#
    let registries =
      #/(?:pypi|npmjs|rubygems|crates|artifactory|nexus)[\w-]*\.[a-z]{2,}|--(?:extra-)?index-url|https?:\/\/(?:10|192\.168|172\.1[6-9])\.\d/#
    return zip(1..., text.split(separator: "\n", omittingEmptySubsequences: false)).compactMap { number, line in
      if line.contains(homes) { return Finding(path: path, line: number, message: "a path of one machine: \(line)") }
      if line.contains(registries) { return Finding(path: path, line: number, message: "a package registry: \(line)") }
      return nil
    }
  }
}
