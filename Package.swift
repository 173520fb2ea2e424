// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// C libraries, each beside its only user.
let systemLibraries: [Target] = [
    .systemLibrary(
        name: "CLibpq", path: "Sources/Core/Postgres/CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
        name: "CZlib", path: "Sources/Codecs/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
        name: "CZstd", path: "Sources/Codecs/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
        name: "CLZ4", path: "Sources/Codecs/CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CBZip2", path: "Sources/Codecs/CBZip2", providers: [.apt(["libbz2-dev"])]),
    .systemLibrary(
        name: "COpenSSL", path: "Sources/Codecs/COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
        name: "CCurl", path: "Sources/Backends/S3/CCurl", pkgConfig: "libcurl",
        providers: [.apt(["libcurl4-openssl-dev"])]),
]

/// The rooms. What each may import is its `dependencies`, and CI checks that nothing else is imported.
let rooms: [Target] = [
    .target(name: "BackupAPI", dependencies: [logging], path: "Sources/Core/API", swiftSettings: strict),
    .target(
        name: "BackupConformance", dependencies: ["BackupAPI"], path: "Sources/Core/Conformance",
        swiftSettings: strict),
    .target(
        name: "PostgresClient", dependencies: ["CLibpq", logging], path: "Sources/Core/Postgres",
        exclude: ["CLibpq"], swiftSettings: strict),
    .target(name: "WALFormat", path: "Sources/Core/WAL", swiftSettings: strict),
    .target(
        name: "CEngine", path: "Sources/Core/CEngine"),
    .target(
        name: "BackupEngine", dependencies: ["BackupAPI", "PostgresClient", "WALFormat", "CEngine", logging],
        path: "Sources/Core/Engine", swiftSettings: strict),
    .target(
        name: "Codecs", dependencies: ["BackupAPI", "CZlib", "CZstd", "CLZ4", "CBZip2", "COpenSSL"],
        path: "Sources/Codecs", exclude: ["CZlib", "CZstd", "CLZ4", "CBZip2", "COpenSSL"], swiftSettings: strict),
    .target(
        name: "LocalBackend", dependencies: ["BackupAPI", logging], path: "Sources/Backends/Local",
        swiftSettings: strict),
    .target(
        name: "S3Backend", dependencies: ["BackupAPI", "CCurl", logging], path: "Sources/Backends/S3",
        exclude: ["CCurl"], swiftSettings: strict),
    .target(
        name: "SSHBackend", dependencies: ["BackupAPI", logging], path: "Sources/Backends/SSH",
        swiftSettings: strict),
    .target(
        name: "BackupCLI",
        dependencies: [
            "BackupAPI", "BackupConformance", "PostgresClient", "BackupEngine", "Codecs", "LocalBackend",
            "S3Backend", "SSHBackend", logging, argumentParser,
        ],
        path: "Sources/CLI", exclude: ["Daemon", "pgmoneta", "pgmoneta-cli", "pgmoneta-admin"], swiftSettings: strict),
    .target(
        name: "BackupDaemon",
        dependencies: [
            "BackupAPI", "PostgresClient", "BackupEngine", "BackupCLI", logging, argumentParser,
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            .product(name: "FlyingFox", package: "FlyingFox"),
            .product(name: "FlyingSocks", package: "FlyingFox"),
        ],
        path: "Sources/CLI/Daemon", swiftSettings: strict),
    .executableTarget(
        name: "pgmoneta", dependencies: ["BackupCLI", "BackupDaemon"], path: "Sources/CLI/pgmoneta",
        swiftSettings: strict),
    .executableTarget(
        name: "pgmoneta-cli", dependencies: ["BackupCLI"], path: "Sources/CLI/pgmoneta-cli", swiftSettings: strict),
    .executableTarget(
        name: "pgmoneta-admin", dependencies: ["BackupCLI"], path: "Sources/CLI/pgmoneta-admin",
        swiftSettings: strict),
]

/// Shared by tests: temporary folders, real PostgreSQL clusters, running programs.
let testSupport: Target.Dependency = "TestSupport"

let tests: [Target] = [
    .target(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    .testTarget(
        name: "BackupAPITests", dependencies: ["BackupAPI"], path: "Tests/BackupAPITests", swiftSettings: strict),
    .testTarget(
        name: "BackupConformanceTests", dependencies: ["BackupAPI", "BackupConformance"],
        path: "Tests/BackupConformanceTests", swiftSettings: strict),
    .testTarget(
        name: "LocalBackendTests", dependencies: ["BackupAPI", "BackupConformance", "LocalBackend", testSupport],
        path: "Tests/LocalBackendTests", swiftSettings: strict),
    .testTarget(
        name: "S3BackendTests",
        dependencies: ["BackupAPI", "BackupConformance", "Codecs", "S3Backend", testSupport],
        path: "Tests/S3BackendTests", swiftSettings: strict),
    .testTarget(
        name: "SSHBackendTests",
        dependencies: ["BackupAPI", "BackupConformance", "SSHBackend", testSupport],
        path: "Tests/SSHBackendTests", swiftSettings: strict),
    .testTarget(
        name: "CodecsTests", dependencies: ["BackupAPI", "BackupConformance", "Codecs", testSupport],
        path: "Tests/CodecsTests", swiftSettings: strict),
    .testTarget(
        name: "PostgresClientTests", dependencies: ["PostgresClient", testSupport],
        path: "Tests/PostgresClientTests", swiftSettings: strict),
    .testTarget(
        name: "WALFormatTests", dependencies: ["WALFormat", testSupport], path: "Tests/WALFormatTests",
        swiftSettings: strict),
    .testTarget(
        name: "BackupEngineTests",
        dependencies: [
            "BackupAPI", "BackupConformance", "BackupEngine", "Codecs", "LocalBackend", "PostgresClient", "S3Backend",
            "SSHBackend", "WALFormat", testSupport,
        ],
        path: "Tests/BackupEngineTests", swiftSettings: strict),
    .testTarget(
        name: "BackupCLITests",
        dependencies: [
            "BackupAPI", "BackupCLI", "BackupConformance", "BackupEngine", "Codecs", "PostgresClient", testSupport,
            logging,
        ],
        path: "Tests/BackupCLITests", swiftSettings: strict),
    .testTarget(
        name: "EndToEndTests", dependencies: ["BackupAPI", "BackupEngine", "PostgresClient", testSupport],
        path: "Tests/EndToEndTests", swiftSettings: strict),
]

/// libFuzzer's program, which is built with its instrumentation alone (scripts/fuzz).
let fuzzing: [Target] =
    Context.environment["PGMONETA_FUZZING"] == nil
    ? []
    : [
        .executableTarget(
            name: "fuzzing",
            dependencies: [
                "BackupAPI", "BackupEngine", "CEngine", "Codecs", "PostgresClient", "S3Backend", "SSHBackend",
                "WALFormat",
            ],
            path: "Tests/Fuzzing", exclude: ["Corpus"], swiftSettings: strict)
    ]

let package = Package(
    name: "pgmoneta",
    products: [
        .executable(name: "pgmoneta-cli", targets: ["pgmoneta-cli"]),
        .executable(name: "pgmoneta-admin", targets: ["pgmoneta-admin"]),
        .executable(name: "pgmoneta", targets: ["pgmoneta"]),
        .library(name: "BackupAPI", targets: ["BackupAPI"]),
        .library(name: "BackupConformance", targets: ["BackupConformance"]),
        .library(name: "Codecs", targets: ["Codecs"]),
        .library(name: "BackupCLI", targets: ["BackupCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: systemLibraries + rooms + tests + fuzzing
)
