// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that examples may depend on what the library must not.
let package = Package(
  name: "Examples",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "DimpleDb", path: "..")],
  targets: [
    .target(name: "ExampleSupport"),
    .executableTarget(
      name: "QuickStart", dependencies: ["ExampleSupport", .product(name: "DimpleDb", package: "DimpleDb")]),
    .executableTarget(
      name: "HistoryTour", dependencies: ["ExampleSupport", .product(name: "DimpleDb", package: "DimpleDb")]),
    .executableTarget(
      name: "StoreTour", dependencies: ["ExampleSupport", .product(name: "DimpleStore", package: "DimpleDb")]),
  ]
)
