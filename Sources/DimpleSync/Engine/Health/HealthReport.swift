/// What ``SyncEngine/verify()`` found.
public struct HealthReport: Sendable {
  /// The most findings that are kept; further ones are only counted.
  public static let maximumFindings = 1000

  /// What is wrong, in the order it was found.
  public private(set) var findings: [HealthFinding] = []
  /// How many findings there are, those beyond ``maximumFindings`` included.
  public private(set) var findingCount = 0
  /// Objects of the vault that were read.
  public internal(set) var checkedPacks = 0
  /// Transactions in them.
  public internal(set) var checkedTransactions: Int64 = 0
  /// Snapshots whose parts were all read.
  public internal(set) var checkedSnapshots = 0
  /// Parts of large values that were read.
  public internal(set) var checkedParts = 0
  /// Rows of the merged state that were compared with their tables.
  public internal(set) var checkedRows: Int64 = 0

  /// ``findings``, to tell each once.
  private var known: Set<HealthFinding> = []

  init() {}

  /// Nothing is wrong.
  public var isHealthy: Bool { findingCount == 0 }

  /// What two objects show alike is told once.
  mutating func add(_ finding: HealthFinding) {
    guard findings.count < Self.maximumFindings else {
      findingCount += known.contains(finding) ? 0 : 1
      return
    }
    guard known.insert(finding).inserted else { return }
    findingCount += 1
    findings.append(finding)
  }
}

/// Something wrong with a vault or a replica, and what to do about it.
public struct HealthFinding: Sendable, Hashable, CustomStringConvertible {
  /// The kind of finding; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case damagedPack, unsupportedPack, forgedPack, brokenChain, missingPacks, damagedState, tableDiffers, untrackedRow
      case missingPart, damagedPart, damagedSnapshot, unknownValues
    }
    private let kind: Kind

    /// An object is not what its name says.
    public static let damagedPack = Code(kind: .damagedPack)
    /// An object was written by a newer version of this library.
    public static let unsupportedPack = Code(kind: .unsupportedPack)
    /// An object claims a replica with whose key it was not signed.
    public static let forgedPack = Code(kind: .forgedPack)
    /// Two objects have different transactions of one replica under the same numbers.
    public static let brokenChain = Code(kind: .brokenChain)
    /// Transactions that are known to have been in the vault are in none of its objects that can be used.
    public static let missingPacks = Code(kind: .missingPacks)
    /// A row of the merged state cannot be read.
    public static let damagedState = Code(kind: .damagedState)
    /// A table shows something else than the merged state says.
    public static let tableDiffers = Code(kind: .tableDiffers)
    /// A table has a row that no change ever made.
    public static let untrackedRow = Code(kind: .untrackedRow)
    /// A part of a large value is not in the vault.
    public static let missingPart = Code(kind: .missingPart)
    /// A part of a large value is not what its name says.
    public static let damagedPart = Code(kind: .damagedPart)
    /// A snapshot cannot be read, or is not what its manifest says. Readers pass it over; packs, an older or a later
    /// snapshot serve instead.
    public static let damagedSnapshot = Code(kind: .damagedSnapshot)
    /// A row refers to one that was deleted here by a version of the app in which nothing referred to it, and whose values
    /// are therefore not known here: the row that refers to it is held on this device, where others show both.
    public static let unknownValues = Code(kind: .unknownValues)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// What helps.
  public enum Remedy: String, Sendable, Hashable {
    /// ``SyncEngine/repair()`` on this device.
    case repair
    /// ``SyncEngine/repair()`` on the device that wrote it.
    case repairElsewhere
    /// A newer version of the app.
    case update
    /// A backup, or a sync into a new database.
    case restore
    /// Nothing in the library: see the message.
    case byHand
  }

  /// The kind of finding.
  public var code: Code
  /// What it is about: an object's key, a replica, a row as `table(key)`.
  public var subject: String
  /// For people; no secrets, and of rows only keys.
  public var message: String
  /// What helps.
  public var remedy: Remedy

  init(_ code: Code, _ subject: String, _ message: String, _ remedy: Remedy) {
    self.code = code
    self.subject = subject
    self.message = message
    self.remedy = remedy
  }

  /// One line: code, subject, message, remedy.
  public var description: String { "\(code): \(subject): \(message) (\(remedy.rawValue))" }
}
