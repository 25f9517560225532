// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that the peers that DimpleDb is measured against stay out of every app's build.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "DimpleDb", path: ".."),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .target(name: "Samples"),
    // Modules of their own: GRDB's names are DimpleStore's, too.
    .target(name: "GRDBPeer", dependencies: ["Samples", .product(name: "GRDB", package: "GRDB.swift")]),
    .target(name: "SQLitePeer", dependencies: ["Samples", .product(name: "CSQLite", package: "DimpleDb")]),
    .target(name: "OpenSSLPeer", dependencies: [.product(name: "COpenSSL", package: "DimpleDb")]),
    .target(name: "CurlPeer", dependencies: [.product(name: "CCurl", package: "DimpleDb")]),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "Samples", "GRDBPeer", "SQLitePeer", "OpenSSLPeer", "CurlPeer",
        .product(name: "DimpleStore", package: "DimpleDb"),
        .product(name: "DimpleChangelog", package: "DimpleDb"),
        .product(name: "DimpleReactive", package: "DimpleDb"),
        .product(name: "DimpleRemote", package: "DimpleDb"),
        .product(name: "DimpleS3", package: "DimpleDb"),
        .product(name: "DimpleCrypto", package: "DimpleDb"),
        .product(name: "DimpleSync", package: "DimpleDb"),
        .product(name: "DimpleTestSupport", package: "DimpleDb"),
      ]),
  ]
)
