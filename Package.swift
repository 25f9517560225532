// swift-tools-version: 6.2

import PackageDescription

// The house, room by room. docs/ARCHITECTURE.md says what each module is for and who may depend on whom;
// Tests/RepositoryTests checks that the imports agree.

/// `scripts/test` sets this, so that a warning fails the project's own build but never an app that depends on it.
let warningsAreErrors = Context.environment["DIMPLE_WARNINGS_AS_ERRORS"] == "1"

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (warningsAreErrors ? [.treatAllWarnings(as: .error)] : [])

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

func module(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A program that links one product and nothing else: the proof that the product stands alone. (ClientSupport has nothing but
/// the system.)
func client(_ name: String, _ dependency: Target.Dependency, _ support: Target.Dependency...) -> Target {
  .executableTarget(
    name: name, dependencies: [dependency] + support, path: "Tests/Clients/\(name)", swiftSettings: settings)
}

let package = Package(
  name: "DimpleDb",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "CSQLite", targets: ["CSQLite"]),
    .library(name: "CCurl", targets: ["CCurl"]),
    .library(name: "COpenSSL", targets: ["COpenSSL"]),
    .library(name: "DimpleStore", targets: ["DimpleStore"]),
    .library(name: "DimpleChangelog", targets: ["DimpleChangelog"]),
    .library(name: "DimpleReactive", targets: ["DimpleReactive"]),
    .library(name: "DimpleRemote", targets: ["DimpleRemote"]),
    .library(name: "DimpleS3", targets: ["DimpleS3"]),
    .library(name: "DimpleCrypto", targets: ["DimpleCrypto"]),
    .library(name: "DimpleSync", targets: ["DimpleSync"]),
    .library(name: "DimpleDb", targets: ["DimpleDb"]),
    .library(name: "DimpleTestSupport", targets: ["DimpleTestSupport"]),
    .executable(name: "dimple", targets: ["dimple"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
  ],
  targets: [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    module("DimpleMutex", []),
    module("DimpleStore", ["CSQLite", "DimpleMutex", logging]),
    module("DimpleChangelog", ["DimpleStore", "DimpleMutex"]),
    module("DimpleReactive", ["DimpleStore", "DimpleMutex"]),
    module("DimplePrimitives", ["COpenSSL"]),
    module("DimpleRemote", ["DimpleMutex"]),
    module("DimpleS3", ["DimpleRemote", "DimplePrimitives", "DimpleMutex", "CCurl"]),
    module("DimpleCrypto", ["DimpleRemote", "DimplePrimitives"]),
    module(
      "DimpleSync",
      ["DimpleChangelog", "DimpleStore", "DimpleRemote", "DimplePrimitives", "DimpleMutex", "CZlib"]),
    module(
      "DimpleDb",
      [
        "DimpleStore", "DimpleChangelog", "DimpleReactive", "DimpleRemote", "DimpleS3", "DimpleCrypto", "DimpleSync",
      ]),
    module(
      "DimpleTestSupport",
      ["DimpleStore", "DimpleChangelog", "DimpleRemote", "DimpleSync", "DimplePrimitives", "DimpleMutex"]),
    .executableTarget(
      name: "dimple",
      dependencies: ["DimpleDb", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: settings),

    client("CSQLiteClient", "CSQLite"),
    client("CCurlClient", "CCurl"),
    client("COpenSSLClient", "COpenSSL"),
    .target(name: "ClientSupport", path: "Tests/Clients/ClientSupport", swiftSettings: settings),
    client("StoreClient", "DimpleStore", "ClientSupport"),
    client("ChangelogClient", "DimpleChangelog", "ClientSupport"),
    client("ReactiveClient", "DimpleReactive"),
    client("RemoteClient", "DimpleRemote"),
    client("S3Client", "DimpleS3"),
    client("CryptoClient", "DimpleCrypto"),
    client("SyncClient", "DimpleSync"),
    client("TestSupportClient", "DimpleTestSupport"),
    client("DbClient", "DimpleDb"),

    tests("DimpleMutexTests", ["DimpleMutex"]),
    tests("DimpleStoreTests", ["DimpleStore", "DimpleMutex", "DimpleTestSupport"]),
    tests("DimpleChangelogTests", ["DimpleChangelog", "DimpleStore", "DimpleTestSupport"]),
    tests("DimpleReactiveTests", ["DimpleReactive", "DimpleChangelog", "DimpleStore", "DimpleTestSupport"]),
    tests("DimpleRemoteTests", ["DimpleRemote", "DimpleMutex", "DimpleTestSupport"]),
    tests("DimpleS3Tests", ["DimpleS3", "DimpleRemote", "DimpleMutex", "DimpleTestSupport"]),
    tests("DimplePrimitivesTests", ["DimplePrimitives"]),
    tests("DimpleCryptoTests", ["DimpleCrypto", "DimplePrimitives", "DimpleRemote", "DimpleMutex", "CZlib"]),
    tests(
      "DimpleSyncTests",
      [
        "DimpleSync", "DimpleChangelog", "DimpleStore", "DimpleRemote", "DimplePrimitives", "DimpleMutex",
        "DimpleTestSupport",
      ]),
    .target(
      name: "Simulator",
      dependencies: [
        "DimpleSync", "DimpleChangelog", "DimpleStore", "DimpleRemote", "DimpleMutex", "DimpleTestSupport",
      ], path: "Tests/Simulator", swiftSettings: settings),
    .executableTarget(
      name: "simulate", dependencies: ["Simulator"], path: "Tests/Simulate", swiftSettings: settings),
    tests(
      "SimulationTests",
      [
        "Simulator", "DimpleSync", "DimpleChangelog", "DimpleStore", "DimpleRemote", "DimpleMutex",
        "DimpleTestSupport",
      ]),
    tests("IntegrationTests", ["DimpleDb", "DimpleTestSupport", "dimple"]),
    tests("RepositoryTests", []),
  ]
)
