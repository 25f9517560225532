internal import ArgumentParser

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Where the passphrase comes from; never the command line, which other users can read.
struct PassphraseOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A file whose first line is the passphrase.", valueName: "file"))
  var passphraseFile: String?

  /// From the file, DIMPLE_PASSPHRASE, or the terminal, in this order.
  func passphrase(prompt: String = "Passphrase: ") throws -> String {
    if let passphraseFile {
      let text = try FileSystem.readText(passphraseFile)
      // A line may end as on Windows, which Swift takes for one character.
      let line = text.prefix { !$0.isNewline }
      guard !line.isEmpty else {
        throw Failure("The file \(passphraseFile) has no passphrase on its first line.")
      }
      return String(line)
    }
    if let passphrase = Environment["DIMPLE_PASSPHRASE"], !passphrase.isEmpty { return passphrase }
    guard let typed = Console.askSecret(prompt), !typed.isEmpty else {
      throw Failure("A passphrase is needed: set DIMPLE_PASSPHRASE, or give --passphrase-file.")
    }
    return typed
  }
}

/// The process environment.
enum Environment {
  static subscript(name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
