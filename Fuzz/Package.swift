// swift-tools-version: 6.2

import PackageDescription

// A package of its own, as Benchmarks is: only root packages may pass flags of their own, and nobody who depends on DimpleDb
// should build this. scripts/fuzz builds and runs it.
let package = Package(
  name: "Fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "DimpleDb", path: "..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [
        .product(name: "DimpleSync", package: "DimpleDb"), .product(name: "DimpleRemote", package: "DimpleDb"),
      ],
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  ]
)
